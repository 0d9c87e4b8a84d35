"""The trail as OCSF 1.x events, one JSON object a line. What OCSF has no word for stands in `unmapped`.

Three classes: Authentication (3002) for coming and going, Account Change (3001) for people and their rights, API
Activity (6003) for everything else.
"""

from __future__ import annotations

import json
from typing import Any, Final

from app.kernel.trail import Entry as TrailEntry

VERSION: Final = "1.3.0"
_AUTHENTICATION: Final = ("identity.session.", "identity.sign_in.", "identity.signed_")
_ACCOUNT: Final = ("identity.", "access.delegation.", "access.role.")
_LOGON, _LOGOFF = 1, 2
# The last word of an action, and the activity it is; 99 is "other", named by its own word.
_API: Final = {"created": 1, "added": 1, "read": 2, "opened": 2, "exported": 2, "changed": 3, "set": 3, "updated": 3}
_API_ENDS: Final = {"removed": 4, "deleted": 4, "erased": 4, "ended": 4}
_ACCOUNTS: Final = {"joined": 1, "created": 1, "enabled": 2, "removed": 6, "ended": 6, "given": 7, "revoked": 8}
_OTHER: Final = 99
_INFORMATIONAL, _MEDIUM = 1, 3
_SUCCESS, _FAILURE = 1, 2
REFUSED: Final = ".refused"


def ocsf_line(place: int, entry: TrailEntry, tenant: str) -> bytes:
    """One entry as an event."""
    return json.dumps(ocsf_event(place, entry, tenant), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def ocsf_event(place: int, entry: TrailEntry, tenant: str) -> dict[str, Any]:
    """The event of an entry: class, activity, who, when, where, and the rest unmapped."""
    class_uid, category, activity = _kind(entry.action)
    refused = entry.action.endswith(REFUSED)
    actor = {"user": {"uid": str(entry.actor_id), "name": entry.actor_name, "type": entry.actor_kind}}
    said: dict[str, Any] = {
        "class_uid": class_uid,
        "category_uid": category,
        "activity_id": activity,
        "activity_name": entry.action.rpartition(".")[2],
        "type_uid": class_uid * 100 + activity,
        "severity_id": _MEDIUM if refused else _INFORMATIONAL,
        "status_id": _FAILURE if refused else _SUCCESS,
        "time": int(entry.at.timestamp() * 1000),
        "message": entry.reason or "",
        "metadata": {
            "version": VERSION,
            "uid": str(entry.id),
            "tenant_uid": tenant,
            "correlation_uid": entry.trace_id,
            "sequence": place,
            "product": {"name": "Onboarding", "vendor_name": "Onboarding"},
        },
        "actor": actor,
        "unmapped": _unmapped(entry),
    }
    return said | _of_class(class_uid, entry, actor)


def _kind(action: str) -> tuple[int, int, int]:
    """Class, category and activity."""
    last = action.rpartition(".")[2]
    if action.startswith(_AUTHENTICATION):
        return 3002, 3, _LOGOFF if last in {"ended", "signed_out"} else _LOGON
    if action.startswith(_ACCOUNT):
        return 3001, 3, _ACCOUNTS.get(last, _OTHER)
    return 6003, 6, (_API | _API_ENDS).get(last, _OTHER)


def _of_class(class_uid: int, entry: TrailEntry, actor: dict[str, Any]) -> dict[str, Any]:
    """What each class asks for."""
    subject = {"uid": str(entry.subject_id), "type": entry.subject_kind}
    if class_uid == 6003:  # noqa: PLR2004 - the class's own number
        return {"api": {"operation": entry.action}, "resources": [subject], "src_endpoint": {"name": "portal"}}
    return {"user": subject | {"name": ""}} if class_uid == 3001 else {"user": actor["user"]}  # noqa: PLR2004 - the same


def _unmapped(entry: TrailEntry) -> dict[str, Any]:
    left = {
        "action": entry.action,
        "on_behalf_of": entry.on_behalf_of and str(entry.on_behalf_of),
        "onboarding_id": entry.onboarding_id and str(entry.onboarding_id),
        "leaf_hash": entry.leaf_hash,
        "body": entry.body,
    }
    return {name: value for name, value in left.items() if value is not None}
