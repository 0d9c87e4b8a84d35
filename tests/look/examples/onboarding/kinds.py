"""Steps that are more than a form: credentials to hand over, and a text to sign."""

from __future__ import annotations

from tests.look.examples.customer import DECLINE
from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, TENANT, Context, days

_TASK: Context = {
    "key": "task.access",
    "title": {
        "en": "Give us access to your test system",
        "de": "Zugang zu Ihrem Testsystem geben",
        "ar": "منح الوصول إلى نظام الاختبار",
    },
    "state": "open",
    "due_at": days(3),
    "why": {
        "en": "The checks run in your test system, with the least rights that they need. No live data is touched.",
        "de": "Die Prüfungen laufen in Ihrem Testsystem, mit möglichst wenigen Rechten. Echte Daten bleiben unberührt.",
        "ar": "تعمل الفحوص في نظام الاختبار لديكم بأقل الصلاحيات، ولا تُمس البيانات الحقيقية.",
    },
    "optional": False,
    "side": "customer",
}
_TOKEN: Context = {
    "id": "secret-api_token",
    "label": {"en": "API token", "de": "API-Token"},
    "type": "secret",
    "required": True,
    "conditional": False,
    "help": {"en": "Settings, API, New token; wb_…", "de": "Einstellungen, API, Neues Token; wb_…"},
    "options": [],
}
_USER: Context = _TOKEN | {"id": "secret-user", "type": "text", "help": {}}
_USER["label"] = {"en": "User name", "de": "Benutzername"}
_BASE: Context = _USER | {"id": "secret-base", "type": "url"}
_BASE["label"] = {"en": "Address of the test system", "de": "Adresse des Testsystems"}
_LABELS = [_TOKEN["label"], _USER["label"], _BASE["label"]]
_LINES: list[Context] = [{"id": "", "label": label, "at": None, "by": "", "gone": False} for label in _LABELS]
_OPEN: Context = {
    "chrome": CUSTOMER,
    "task": _TASK,
    "onboarding": {"tenant": "Contoso Ltd", "name": "Contoso, custom integration", "path": TENANT},
    "system": "",
    "given": _LINES,
    "again": False,
    "fields": [_TOKEN, _USER, _BASE | {"required": False}],
    "values": {},
    "errors": [],
    "action": f"{TENANT}/tasks/task.access/credentials",
    "more": [],
    "back": TENANT,
    "talk": f"{TENANT}/comments",
    "command_key": KEY,
}
_WRONG: Context = _OPEN | {
    "values": {"secret-user": "slipstream"},
    "errors": [
        ("secret-api_token", "This does not have the form that is asked for."),
        ("secret-base", "This is not a web address such as https://example.org."),
    ],
}
_THERE = [_LINES[0] | {"at": days(-2), "by": "Maria Lopez"}, _LINES[1] | {"at": days(-1)}, _LINES[2] | {"gone": True}]
_GIVEN: Context = _OPEN | {
    "task": _TASK | {"state": "done"},
    "given": _THERE,
    "again": True,
    "fields": [each | {"required": False, "conditional": True} for each in _OPEN["fields"]],
}
_REPLACED = _GIVEN | {"errors": [("secret-api_token", "Fill in what you want to hand over.")]}
_STAFF: Context = {"chrome": PARTNER, "system": "Product admin", "action": "", "fields": []}

_AGREED = (
    "We have read the risk assessment of the integration and the measures against each risk.\n\n"
    "We accept the risks that remain:\n1. Orders may arrive twice while both systems run side by side.\n"
    "2. The connection stands still while the shop is being maintained.\n\n"
    "We tell {name} when one of our systems changes."
).replace("{name}", "Northwind")
_ARABIC = (
    "لقد قرأنا تقييم مخاطر التكامل والإجراءات المتخذة لكل خطر.\n\nنقبل المخاطر المتبقية ونُبلغ عن أي تغيير في أنظمتنا."
)
_DIGEST = "9f2c7c2a1f0e4b7d8c6a5e3f1b0d9c8e7f6a5b4c3d2e1f00112233445566778a"


def _text(text: str, language: str = "en") -> Context:
    return {"paragraphs": text.split("\n\n"), "lang": language, "dir": "rtl" if language == "ar" else "ltr"}


_SIGN: Context = {
    "chrome": CUSTOMER,
    "task": _TASK
    | {
        "key": "task.accept_risks",
        "title": {
            "en": "Accept the remaining risks",
            "de": "Verbleibende Risiken annehmen",
            "ar": "قبول المخاطر المتبقية",
        },
        "why": {
            "en": "Live data flows only after somebody of yours has accepted what remains.",
            "de": "Echte Daten fließen erst, wenn jemand von Ihnen annimmt, was bleibt.",
        },
    },
    "onboarding": _OPEN["onboarding"],
    "read": _text(_AGREED) | {"digest": _DIGEST, "locale": "en"},
    "kept": [],
    "have": 0,
    "wanted": 1,
    "role": {"en": "Your data owner", "de": "Datenverantwortung bei Ihnen"},
    "mine": False,
    "values": {},
    "errors": [],
    "action": f"{TENANT}/tasks/task.accept_risks/signature",
    "refusal": f"{TENANT}/tasks/task.accept_risks/refusal",
    "reason": "",
    "more": [],
    "back": TENANT,
    "talk": f"{TENANT}/comments",
    "command_key": KEY,
}
_KEPT: Context = _text(_AGREED) | {
    "digest": _DIGEST,
    "intact": True,
    "signatures": [
        {"name": "Maria Fernanda López García", "signer": "Maria Lopez", "at": days(-1), "version": "1.0.0"}
    ],
}
_OTHER: Context = _text(_ARABIC, "ar") | {
    "digest": _DIGEST[::-1],
    "intact": True,
    "signatures": [{"name": "ليلى حداد", "signer": "", "at": days(-1), "version": "1.1.0"}],
}
_IN_ARABIC = _SIGN | {"read": _text(_ARABIC, "ar") | {"digest": _DIGEST, "locale": "ar"}}
_UNSIGNED = _SIGN | {
    "values": {"name": "M"},
    "errors": [
        ("name", "Write your full name, as you sign with it."),
        ("confirmed", "Tick that you have read the text and sign it."),
    ],
}
_STALE = "The text has changed since you opened it. Nothing was signed: read it again, then sign."
_SIGNED: Context = {"action": "", "refusal": "", "have": 2, "wanted": 2, "mine": True}
_DONE = _SIGN | _SIGNED | {"task": _SIGN["task"] | {"state": "done"}, "kept": [_KEPT, _OTHER]}
_HALF = _SIGN | _SIGNED | {"have": 1, "kept": [_KEPT]}
_SAID_NO = _SIGN | {"task": _SIGN["task"] | {"state": "blocked"}, "action": "", "refusal": "", "reason": "Not point 2."}
_OURS = {"chrome": PARTNER, "action": "", "refusal": ""}

EXAMPLES: dict[str, list[Context]] = {
    "onboarding/handing/customer.html": [_OPEN, _WRONG, _GIVEN, _REPLACED, _OPEN | {"more": [DECLINE]}],
    "onboarding/handing/partner.html": [
        _OPEN | _STAFF,
        _GIVEN | _STAFF,
        _OPEN | {"chrome": PARTNER, "system": "Product admin", "task": _TASK | {"side": "partner"}},
    ],
    "onboarding/handing/_step.html": [_OPEN],
    "onboarding/signing/customer.html": [
        _SIGN,
        _UNSIGNED,
        _IN_ARABIC,
        _SIGN | {"errors": [("", _STALE)]},
        _DONE,
        _HALF,
        _SAID_NO,
        _DONE | {"kept": [_KEPT | {"intact": False}]},
    ],
    "onboarding/signing/partner.html": [_SIGN | _OURS, _DONE | _OURS, _SAID_NO | _OURS],
    "onboarding/signing/_step.html": [_SIGN],
    "onboarding/signing/_kept.html": [{"text": _KEPT}],
    "onboarding/signing/_form.html": [_SIGN],
}
