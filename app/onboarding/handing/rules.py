"""Whether a value that is handed over can be taken. The reasons hold no word of it."""

from __future__ import annotations

from unicodedata import category

from app.flow.criteria import CriterionFailed
from app.flow.fields import Field, check_value
from app.flow.kinds.credentials import TYPED, CredentialField
from app.vault.secret import Secret


def why_unfit(field: CredentialField, value: Secret) -> str | None:
    """Why a value cannot be taken; None where it can."""
    if len(value.reveal()) > field.longest:
        return "This is too long."
    if len(value.reveal()) < field.shortest:
        return "This is too short."
    if any(category(sign) == "Cc" and sign not in "\n\t" for sign in value.reveal()):
        return "This holds a character that cannot be stored."
    if field.type == "url" and (reason := check_value(Field(id=field.id, label={}, type="url"), value.reveal())):
        return reason
    return None if _has_shape(field, value) else "This does not have the form that is asked for."


def _has_shape(field: CredentialField, value: Secret) -> bool:
    try:
        return field.shape is None or field.shape.holds(_Typed(value))
    except CriterionFailed:  # its own bound, for what is very long
        return False


class _Typed:
    """What was typed, as the pattern of its field reads it."""

    def __init__(self, value: Secret) -> None:
        self._value = value

    def get(self, name: str) -> object:
        """The value of the one declared name."""
        return self._value.reveal() if name == TYPED else None
