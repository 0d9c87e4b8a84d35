"""The people, times and frames that the examples share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.web.frame import Chrome, Link

Context = dict[str, Any]

NOW = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
KEY = "0192f0c1-7d1e-7000-8000-000000000001"
TENANT = "/t/0192f0c1/onboardings/0192f0c2"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def days(number: float) -> datetime:
    """So many days from the examples' now."""
    return NOW + timedelta(days=number)


# What a template's author wrote in the second language, so that a German page is German all over.
_GERMAN = {
    "Head of customer success": "Leitung Kundenerfolg",
    "The day that both sides have agreed on.": "Den Tag, auf den sich beide Seiten geeinigt haben.",
    "A day that delivery has not confirmed.": "Einen Tag, den die Umsetzung nicht bestätigt hat.",
    "Billing contact": "Kontakt für Rechnungen",
    "Subject": "Betreff",
    "Message": "Nachricht",
    "Tell the new date": "Neuen Termin mitteilen",
    "Nudge them to choose a day": "Anstoßen, einen Tag zu wählen",
    "Ask for the list": "Um die Liste bitten",
    "from trigger to first value": "vom Auslöser bis zum ersten Nutzen",
    "from kickoff to first value": "vom Kickoff bis zum ersten Nutzen",
    "from account to core process": "vom Konto bis zum Kernprozess",
    "What comes along?": "Was kommt mit?",
    "Tick all that apply.": "Kreuzen Sie alles an, was zutrifft.",
    "Files": "Dateien",
    "Share of it, in percent": "Anteil davon, in Prozent",
    "Who answers questions?": "Wer beantwortet Fragen?",
    "Where is it described?": "Wo ist es beschrieben?",
    "Look at the site": "Standort ansehen",
    "Look at the site: Bristol": "Standort ansehen: Bristol",
    "Look at the site: Leeds": "Standort ansehen: Leeds",
    "Sign in with one account": "Mit einem Konto anmelden",
    "Hold the kickoff": "Auftakt durchführen",
    "Connect the directory": "Verzeichnis anbinden",
    "Tell us about your mailboxes": "Angaben zu Ihren Postfächern",
    "Create the accounts": "Konten anlegen",
    "Launch gate": "Freigabe des Starts",
    "Launch": "Starten",
    "Technical blocker": "Technisches Hindernis",
    "Timeline risk": "Termin in Gefahr",
    "Implementation lead": "Leitung der Einführung",
    "CSM manager": "Leitung Kundenbetreuung",
    "One sentence.": "Ein Satz.",
    "What proves it": "Was belegt das?",
    "Link to the evidence": "Link zum Nachweis",
    "Name an owner": "Verantwortliche Person nennen",
    "Decide the handoff": "Übergabe entscheiden",
    "Kickoff": "Auftakt",
    "Access": "Zugänge",
    "Mailboxes moved": "Postfächer umgezogen",
    "All 25 mailboxes open in the new system.": "Alle 25 Postfächer lassen sich öffnen.",
    "Training": "Schulung",
    "Two sessions, everyone has been to one.": "Zwei Termine, alle waren bei einem dabei.",
    "First value": "Erster Nutzen",
    "The first ticket solved without a call.": "Das erste Anliegen ohne Anruf gelöst.",
    "We create the accounts from it.": "Daraus legen wir die Konten an.",
    "Only those who set up your accounts see it.": "Nur wer Ihre Konten einrichtet, sieht sie.",
    "Connect your directory": "Verzeichnis anbinden",
    "Confirm the go-live date": "Starttermin bestätigen",
    "Name who comes to the training": "Teilnehmende der Schulung nennen",
    "Your mail domain": "Ihre Mail-Domäne",
    "The part after the @.": "Der Teil nach dem @.",
    "How many people start?": "Wie viele Personen beginnen?",
    "Preferred first day": "Gewünschter erster Tag",
    "Which system do you come from?": "Von welchem System kommen Sie?",
    "Another one": "Ein anderes",
    "What should we know?": "Was sollten wir wissen?",
    "We plan the move from it.": "Danach planen wir den Umzug.",
    "Dana Weber and two engineers.": "Dana Weber und zwei Fachleute.",
    "Until four weeks after go-live.": "Bis vier Wochen nach dem Start.",
    "Preparation": "Vorbereitung",
    "Move": "Umzug",
    "Move the mailboxes": "Postfächer umziehen",
    "The plan is made from it.": "Daraus entsteht der Plan.",
    "Business outcome": "Geschäftliches Ziel",
    "First-value milestone": "Meilenstein des ersten Nutzens",
    "Without it nobody can say when we are done.": "Ohne ihn weiß niemand, wann wir fertig sind.",
    "Key stakeholders": "Wichtige Beteiligte",
    "Customer-side owner": "Verantwortlich beim Kunden",
    "Tasks of the customer need somebody to go to.": "Aufgaben des Kunden brauchen jemanden, der sie annimmt.",
    "Non-standard terms": "Abweichende Bedingungen",
    "Renewal or expansion signal": "Hinweis auf Verlängerung",
    "Accept the handoff": "Übergabe annehmen",
    "Accept although fields are missing": "Trotz fehlender Angaben annehmen",
    "Send back to sales": "Zurück an den Vertrieb",
    "Handoff gate": "Freigabe der Übergabe",
    "A term was promised that no package has.": "Zugesagt wurde etwas, das kein Paket enthält.",
    "The contract is signed in the CRM.": "Der Vertrag ist im CRM unterschrieben.",
    "CRM and billing name one plan.": "CRM und Rechnung nennen denselben Tarif.",
}


def said(english: str) -> dict[str, str]:
    """A text as a template holds it, in both languages."""
    return {"en": english, "de": _GERMAN[english]}


PARTNER = Chrome(
    path="/",
    person="Dana Weber",
    role="Onboarding lead",
    csrf="c5rf",
    nav=(
        Link("Home", "/"),
        Link("Work", "/work"),
        Link("Customers", "/customers"),
        Link("Templates", "/templates"),
        Link("Packages", "/packages"),
        Link("Marketplace", "/marketplace"),
        Link("Access", "/delegations"),
        Link("Settings", "/settings"),
    ),
    jumps=(
        Link("Home", "/", "home"),
        Link("Customers", "/customers", "building"),
        Link("Contoso", f"{TENANT}", "route"),
        Link("Fabrikam", f"{TENANT}", "route"),
    ),
    sign_out="/sign-out",
)
WITHIN = replace(PARTNER, path=TENANT)
CUSTOMER = Chrome(path=TENANT, person="Maria Lopez", csrf="c5rf", sign_out="/sign-out")
