"""What stands beside the tree: the packet, clocks and ladders, routes, controls, communications, what follows."""

from __future__ import annotations

from collections.abc import Iterator

from app.flow.definition import (
    Approval,
    Clocks,
    Communication,
    Control,
    Duration,
    ExceptionRoute,
    FirstValue,
    HandoffField,
    Role,
    Rung,
    Successor,
    Timer,
)
from app.flow.reading.plain import Document, Path, duration, read_fields
from app.flow.reading.reader import Reader

_ONE_DAY = Duration(business_days=1)


class Sections:
    """The sections of one document, read one by one."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.document, self.say = reader, reader.document, reader.say

    def roles(self) -> dict[str, Role]:
        """Who owns, reviews or is told."""
        return {
            role["id"]: Role(
                id=role["id"], label=self.say(role["label"]), side=role["side"], fallback=role.get("fallback")
            )
            for role in self.document["roles"]
        }

    def handoff(self) -> tuple[HandoffField, ...]:
        """The facts of the packet with their block rules."""
        entries = self.document["handoff"]["fields"]
        return tuple(
            HandoffField(
                field=field,
                rule=entry["rule"],
                source=entry["source"],
                why=self.say(entry["why"]),
                exception=entry.get("exception"),
                reason_code=entry.get("reason_code"),
            )
            for entry, field in zip(entries, read_fields(entries, self.say), strict=True)
        )

    def timers(self) -> dict[str, Timer]:
        """The SLAs, and those that stages bring with their exception path."""
        written = {timer["id"]: self._timer(timer) for timer in self.document.get("timers", ())}
        return written | {timer.id: timer for timer in self._stage_timers()}

    def _timer(self, timer: Document) -> Timer:
        rungs = tuple(
            Rung(
                after=duration(rung["after"]) or _ONE_DAY,
                role=rung["role"],
                message=self.say(rung["message"]),
                exception=rung.get("exception"),
                reason_code=rung.get("reason_code"),
            )
            for rung in timer["ladder"]
        )
        pauses = tuple(timer["pauses"]) if "pauses" in timer else None
        starts = timer.get("starts", "opened")
        return Timer(id=timer["id"], item=timer["item"], starts=starts, ladder=rungs, pauses=pauses)

    def _stage_timers(self) -> Iterator[Timer]:
        """A stage whose SLO has passed takes its exception path; a dot keeps the name apart from what people write."""
        for stage in self.document["stages"]:
            trouble = stage.get("trouble")
            if trouble is None:
                continue
            rung = Rung(
                after=duration(stage["slo"]) or _ONE_DAY,
                role=stage["owner"],
                message=self.say(trouble["message"]),
                exception=trouble["exception"],
                reason_code=trouble["reason_code"],
            )
            yield Timer(id=f"slo.{stage['id']}", item=f"stage.{stage['id']}", starts="opened", ladder=(rung,))

    def exceptions(self) -> dict[str, ExceptionRoute]:
        """Where typed exceptions go."""
        return {
            route["id"]: ExceptionRoute(
                id=route["id"],
                label=self.say(route["label"]),
                route=tuple(route["route"]),
                first_response=self.say(route["first_response"]),
                respond_within=duration(route["respond_within"]) or _ONE_DAY,
                reason_codes=tuple(route["reason_codes"]),
                escalate=tuple(route.get("escalate", ())),
            )
            for route in self.document["exceptions"]
        }

    def controls(self) -> tuple[Control, ...]:
        """Conditions that open an exception by themselves."""
        return tuple(
            Control(
                id=each["id"],
                label=self.say(each["label"]),
                when=self.reader.compiled(each["when"], ("controls", index, "when")),
                item=each["on"],
                exception=each["exception"],
                reason_code=each["reason_code"],
                blocks=each.get("blocks", False),
            )
            for index, each in enumerate(self.document.get("controls", ()))
        )

    def communications(self) -> dict[str, Communication]:
        """Messages with the seven parts of their policy (REQUIREMENTS 1.7)."""
        found = enumerate(self.document.get("communications", ()))
        return {each["id"]: self._communication(each, ("communications", index)) for index, each in found}

    def _communication(self, written: Document, path: Path) -> Communication:
        approval = written.get("approval")
        return Communication(
            id=written["id"],
            kind=written["kind"],
            to=written["to"],
            subject=self.say(written["subject"]),
            body=self.say(written["body"]),
            mode=written["mode"],
            approval=Approval(
                role=approval["role"], when=self.reader.condition(approval.get("when"), (*path, "approval", "when"))
            )
            if approval
            else None,
            suppress=self.reader.condition(written.get("suppress"), (*path, "suppress")),
            may_promise=self.say(written["may_promise"]),
            must_not_promise=self.say(written["must_not_promise"]),
            replies_to=written["replies_to"],
        )

    def successors(self) -> tuple[Successor, ...]:
        """What follows a run that has finished."""
        return tuple(
            Successor(
                lifecycle=link["lifecycle"],
                template=link["template"],
                after=duration(link.get("after")),
                when=self.reader.condition(link.get("when"), ("then", index, "when")),
            )
            for index, link in enumerate(self.document.get("then", ()))
        )

    def first_value(self) -> FirstValue:
        """What counts as first value."""
        value = self.document["first_value"]
        return FirstValue(
            milestone=f"milestone.{value['milestone']}",
            definition=self.say(value["definition"]),
            proof=self.say(value["proof"]),
        )

    def clocks(self) -> Clocks:
        """Where the times to value begin and end (REQUIREMENTS 1.1, X10)."""
        return Clocks(**self.document.get("clocks", {}))
