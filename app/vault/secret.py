"""A value that shows itself to nobody: not to a log, a page, a traceback, JSON or a queue. No cipher here."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

HIDDEN: Final = "[secret]"


class Secret:
    """Bytes that are read only by saying `reveal`. Carries passwords, tokens and keys through the house (DESIGN 6).

    Every other way of looking at it gives `[secret]`, or raises TypeError where it would leave the memory of this run
    (pickle, JSON). Make one at the door, as early as possible; write `reveal()` where the value is used, never into a
    local variable, so that a traceback with its variables stays clean too.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a dictionary

    def __init__(self, value: str | bytes | bytearray) -> None:
        self.__value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> str:
        """The value as text. Raises ValueError, without showing it, when it is not UTF-8."""
        try:
            return self.__value.decode()
        except UnicodeDecodeError:
            pass
        raise ValueError("This secret holds bytes, not text.")

    def reveal_bytes(self) -> bytes:
        """The value as it is: for keys and signatures."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value, other.__value)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret is not written anywhere: pass its id and open it where it is used.")

    __reduce__ = __getstate__ = __reduce_ex__  # type: ignore[assignment]  # each of them only refuses
