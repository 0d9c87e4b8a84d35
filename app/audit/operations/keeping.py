"""What a workspace decides about its trail: how long personal values stay, and who gets its checkpoints by mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.audit.events import CheckpointPublished, KeepingChanged
from app.audit.gate import KEEP, require_right
from app.audit.models import Record
from app.audit.operations.erasure import erase_expired
from app.audit.queries.signed import NOT_SIGNED, NothingSigned, read_head
from app.audit.schemas import KeepingForm
from app.audit.signing import Signers
from app.kernel.errors import Invalid
from app.kernel.work import Work
from app.web.forms import Filled
from app.web.translations import mark

KIND, KEY = "trail", "keeping"
MOST_ADDRESSES: Final = 10
_MONTH: Final = timedelta(days=30, hours=10)  # a twelfth of a year
_DAILY: Final = timedelta(days=1)
_ADDRESS: Final = re.compile(r"[^@\s\x00-\x1f,;<>\"()]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
_WRONG: Final = mark("Write mail addresses, one a line, at most ten.")

SYSTEM_ONLY = {"keep_daily": "called by the timer that the settings have set", "read_keeping": "part of a guarded read"}


class KeepingUnfit(Invalid):
    """The settings cannot be used as they were written; `errors` says which."""


class NobodyToTell(Invalid):
    """A checkpoint is mailed to those who are named, and nobody is."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The settings that hold. `months` None: personal values stay; `version` is the one that timers are set for."""

    months: int | None = None
    addresses: tuple[str, ...] = ()
    version: int = 0

    @property
    def body(self) -> dict[str, Any]:
        """As it is stored and told."""
        return {"months": self.months, "addresses": list(self.addresses)}


def read_keeping(work: Work) -> Keeping:
    """What holds now."""
    row = work.session.get(Record, (KIND, KEY))
    return Keeping(row.body["months"], tuple(row.body["addresses"]), row.version) if row else Keeping()


def change_keeping(work: Work, form: Filled[KeepingForm]) -> None:
    """Decide anew; from tomorrow on once a day it is carried out. Raises NotPermitted, KeepingUnfit."""
    require_right(work, KEEP)
    if form.value is None:
        raise KeepingUnfit(mark("Look at the fields that are marked."), errors=form.errors)
    before = _locked(work)
    after = Keeping(form.value.months, _addresses(form.value.addresses), before.version + 1)
    row = Record(kind=KIND, key=KEY, version=after.version, body=after.body, changed_at=work.now)
    work.session.merge(row)
    work.record(KeepingChanged(subject_id=work.tenant.id, before=before.body, after=after.body))
    if after.months or after.addresses:
        _set_timer(work, after.version)


def publish_checkpoint(work: Work) -> None:
    """Have the newest checkpoint mailed now. Raises NotPermitted, NothingSigned, NobodyToTell."""
    require_right(work, KEEP)
    keeping = read_keeping(work)
    if not keeping.addresses:
        raise NobodyToTell(mark("Name at least one address first."))
    _publish(work, keeping)


def keep_daily(work: Work, *, version: int) -> None:
    """Once a day: erase what is past its time, mail the checkpoint, set the next day's timer.

    A timer of earlier settings does nothing.
    """
    keeping = read_keeping(work)
    if keeping.version != version:
        return
    if keeping.months:
        erase_expired(work, before=work.now - keeping.months * _MONTH)
    if keeping.addresses and read_head(work).signed:
        _publish(work, keeping)
    _set_timer(work, version)


def _publish(work: Work, keeping: Keeping) -> None:
    head, key = read_head(work), work.service(Signers).signer.public_key(work)
    if head.note is None or key is None:
        raise NothingSigned(NOT_SIGNED)
    to = list(keeping.addresses)
    work.announce(
        CheckpointPublished(subject_id=work.tenant.id, size=head.signed, note=head.note, key=key, addresses=to)
    )


def _locked(work: Work) -> Keeping:
    """The settings, held until the commit: of two who change them at once, the second meets what the first decided."""
    row = work.session.get(Record, (KIND, KEY), with_for_update=True)
    return Keeping(row.body["months"], tuple(row.body["addresses"]), row.version) if row else Keeping()


def _addresses(typed: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", typed) if word))
    if len(found) > MOST_ADDRESSES or any(not _ADDRESS.fullmatch(each) for each in found):
        raise KeepingUnfit(_WRONG, errors=[("addresses", _WRONG)])
    return found


def _set_timer(work: Work, version: int) -> None:
    work.set_timer("audit.keep_daily", subject_id=work.tenant.id, due_at=work.now + _DAILY, version=version)
