"""What software sends to hand credentials over. There is no shape for reading any."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Value = Annotated[str, Meta(min_length=1, max_length=8000)]


class CredentialValues(Struct, frozen=True, forbid_unknown_fields=True):
    """The values by field; a field that is left out keeps what was given before."""

    values: Annotated[dict[str, _Value], Meta(min_length=1, max_length=20)]

    def __repr__(self) -> str:
        return f"CredentialValues({', '.join(sorted(self.values))})"
