"""Records that our own runs wrote: what the action was given, against what its look-up says there is now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.connectors.drift.records import Place
from app.connectors.drift.rules import flat, is_about, names_of
from app.connectors.drift.sources import Asking, Heard, Ours, Theirs, has_records
from app.connectors.kit.contract import ActionCall, CallReport, Connector
from app.connectors.kit.manifest import Action
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.models import Connection, Run
from app.connectors.tokens.operations import ACTIVE
from app.connectors.tokens.renewing import Using, sign_in
from app.kernel.outcomes import Done, GiveUp, NeedsPerson
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work

_LATER: Final = 500  # runs after the one that wrote it: what they have changed is ours as well
_ABSENT: Final = frozenset({404, 410})


class Written:
    """The natural key of each action says which record its run wrote; the newest run of a key speaks for it."""

    name = "written"

    def list_places(self, work: Work, *, after: str, limit: int) -> Sequence[tuple[str, Place]]:
        """By the run that wrote it: the id of a run is the record's name."""
        query = (
            select(Run.id, Run.connector, Run.action, Connection.id)
            .join(Connection, Connection.id == Run.connection_id)
            .where(Run.state == "succeeded", Connection.state == ACTIVE)
            .order_by(Run.id)
            .limit(limit)
        )
        if after:
            query = query.where(Run.id > UUID(after))
        return [
            (str(run_id), Place(self.name, connection_id, connector, str(run_id)))
            if _looked_up(work, connector, action)
            else (str(run_id), _NOWHERE)
            for run_id, connector, action, connection_id in work.session.execute(query)
        ]

    def find_ours(self, work: Work, place: Place) -> Ours | None:
        """What was written, with what later runs have changed of it; None once it was written anew or deleted."""
        run = work.session.get(Run, UUID(place.record))
        if run is None or run.state != "succeeded" or (found := _looked_up(work, run.connector, run.action)) is None:
            return None
        connector, action = found
        lookup = connector.manifest.actions[action.lookup_action]
        asked = _asked(run.input, lookup)
        key = _key(asked, lookup)
        names = tuple(names_of(key, run.result or {}))
        fields = flat(run.input)
        for later in _later(work, run):
            what = connector.manifest.actions.get(later.action)
            if what is None or not is_about(names, later.input):
                continue
            if what.effect == "destructive" or (later.action == run.action and _key(later.input, lookup) == key):
                return None
            fields |= {name: value for name, value in flat(later.input).items() if name in fields}
        plain = {name: value for name, value in fields.items() if name not in _secrets_of(action)}
        title = ", ".join(str(value) for value in key.values())[:120]
        return Ours(title, plain, {"action": action.lookup_action, "input": asked}, names, run.onboarding_id)

    def ask(self, run: JobRun, asking: Asking) -> Heard:
        """Ask the look-up, as a run would: within the connection's budget, and not while it is left alone."""
        connection = asking.connection
        using = Using(connection.id, connection.connector, connection.config, run.job.id)
        signed = sign_in(run, using, asking.sealed)
        if isinstance(signed, CallReport):
            return _heard(signed)
        call = ActionCall(
            provider=connection.connector,
            action=str(asking.ours.asked["action"]),
            input=asking.ours.asked["input"],
            idempotency_key=f"drift:{asking.place.id}",
            secrets=signed.secrets,
            auth=signed.auth,
            renew=signed.renew,
            attempt=run.job.attempts,
            sandbox=run.tenant.kind == "sandbox",
            connection=str(connection.id),
            config=ConnectionConfig.read(connection.config),
        )
        return _heard(run.runtime.service(Runner).call(call))


def _heard(report: CallReport) -> Heard:
    if report.status in _ABSENT and isinstance(report.outcome, GiveUp):
        return Theirs(None)
    if not isinstance(report.outcome, Done):
        return report.outcome
    if report.code != "done":
        return NeedsPerson(f"The other system said {report.code}.")
    return Theirs(flat(report.outcome.result) if report.outcome.result is not None else None)


def _looked_up(work: Work, provider: str, name: str) -> tuple[Connector, Action] | None:
    """A write that can be looked up by what it was given."""
    try:
        connector, action = work.service(Runner).registry.get_action(provider, name)
    except ConnectorNotFound:
        return None
    return (connector, action) if action.effect == "write" and action.lookup_action else None


def _asked(given: Mapping[str, Any], lookup: Action) -> dict[str, Any]:
    """What the look-up is given, of what the action was given: as the kit itself looks after silence."""
    known = {name: value for name, value in given.items() if name in lookup.input["properties"]}
    copied: dict[str, Any] = json.loads(json.dumps(known))
    return copied


def _key(given: Mapping[str, Any], lookup: Action) -> dict[str, Any]:
    """What names the record among what it is looked up by: of an object only the fields that it must have."""
    found: dict[str, Any] = {}
    for name, value in _asked(given, lookup).items():
        if isinstance(value, Mapping):
            needed = lookup.input["properties"][name].get("required", ())
            found |= {inner: value[inner] for inner in needed if inner in value}
        else:
            found[name] = value
    return found


def _later(work: Work, run: Run) -> list[Run]:
    query = select(Run).where(
        Run.connection_id == run.connection_id, Run.state == "succeeded", Run.requested_at >= run.requested_at
    )
    newest = work.session.scalars(query.order_by(Run.requested_at.desc(), Run.id.desc()).limit(_LATER))
    return [each for each in reversed(list(newest)) if (each.requested_at, each.id) > (run.requested_at, run.id)]


def _secrets_of(action: Action) -> set[str]:
    """The fields that the manifest says are written and never read."""
    return {name for name, schema in action.input.get("properties", {}).items() if schema.get("writeOnly")}


_NOWHERE: Final = Place("", UUID(int=0), "", "")  # a run that wrote nothing which could be looked up
has_records(Written())
