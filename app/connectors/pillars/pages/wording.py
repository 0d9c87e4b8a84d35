"""The words of an integration's steps: what is to be done, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.connectors.pillars.rules import Step
from app.web.translations import mark

PARTNER: Final = mark("The partner's technical specialist")
CUSTOMER: Final = mark("A named person at the customer, recorded by the partner")
SECOND: Final = mark("Somebody else than who asks")
MACHINE: Final = mark("By itself, from facts")

WHO: Final[Mapping[Step, str]] = {
    "scope": PARTNER,
    "risk": PARTNER,
    "consent": CUSTOMER,
    "access": SECOND,
    "connected": MACHINE,
    "validated": MACHINE,
    "released": PARTNER,
    "end_to_end": MACHINE,
    "quality": PARTNER,
}
TO_DO: Final[Mapping[Step, str]] = {
    "scope": mark("Look at the map of what flows, made from the connector and the mapping, and name what it is for."),
    "risk": mark("Answer six questions. The level of the risk is computed; a high one needs a second person."),
    "consent": mark("Name who at the customer agreed to exactly these fields, on what ground, and for how long."),
    "access": mark("What goes beyond the connector's usual access waits until a second person approves it."),
    "connected": mark("The credentials have been tried out with a harmless question, and worked."),
    "validated": mark("Every check of the connector and this configuration is run against a stand-in. Nothing leaves."),
    "released": mark("Let it out to a pilot first, then to all. Nothing is sent live before."),
    "end_to_end": mark("A run of a pilot's onboarding has gone through to its end in the real system."),
    "quality": mark("Compare at least ten values of the pilot with their source: at most two in a hundred wrong."),
}
QUESTION: Final[Mapping[str, str]] = {
    "regulated": mark("A law or a regulator has a say in these values"),
    "abroad": mark("Values leave the customer's legal area"),
    "other_rules": mark("The partner or the customer has rules of their own for it"),
    "no_sandbox": mark("The other side has no place to try things out"),
    "shared_account": mark("Others sign in with the same credentials"),
    "hard_to_undo": mark("What it does there cannot be undone"),
}
BASIS: Final[Mapping[str, str]] = {
    "contract": mark("A contract needs it"),
    "consent": mark("The people concerned have consented"),
    "legal_duty": mark("A law demands it"),
    "legitimate_interest": mark("A legitimate interest, weighed"),
}
STAGE: Final[Mapping[str, str]] = {
    "off": mark("Not live"),
    "sandbox": mark("Sandbox"),
    "pilot": mark("Pilot"),
    "all": mark("For all"),
}
DONE: Final[Mapping[str, str]] = {
    "begin": mark("It takes the steps now. Nothing is sent live until they are met."),
    "scope": mark("The map is confirmed."),
    "risk": mark("The risk is assessed."),
    "accept": mark("The risk is accepted."),
    "consent": mark("The consent is recorded."),
    "quality": mark("The sample is recorded."),
    "validate": mark("It is being validated. This takes about a minute."),
    "stage": mark("Done. Calls go by it from now on."),
    "back": mark("The stage before is in use again."),
}
