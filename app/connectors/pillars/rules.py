"""The steps of a custom integration on its way live: what each needs, how risky it is, which stage is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Step = Literal["scope", "risk", "consent", "access", "connected", "validated", "released", "end_to_end", "quality"]
State = Literal["met", "open", "stale", "waits"]
Risk = Literal["low", "medium", "high"]

# In the order in which they are taken.
STEPS: Final[tuple[Step, ...]] = (
    *("scope", "risk", "consent", "access", "connected"),
    *("validated", "released", "end_to_end", "quality"),
)
# What has to be met before a connection may go as far (REQUIREMENTS 1.9: before any live data).
NEEDED: Final[Mapping[str, tuple[Step, ...]]] = {
    "off": (),
    "sandbox": ("scope", "risk"),
    "pilot": ("scope", "risk", "consent", "access", "connected", "validated"),
    "all": ("scope", "risk", "consent", "access", "connected", "validated", "end_to_end", "quality"),
}
# The checklist: each question with what a yes weighs.
QUESTIONS: Final[Mapping[str, int]] = {
    "regulated": 3,  # a law or a regulator has a say: health, finance, works council
    "abroad": 2,  # values leave the customer's legal area
    "other_rules": 2,  # the partner or its customer has rules of their own for it
    "no_sandbox": 1,  # the other side has no place to try things out
    "shared_account": 2,  # others sign in with the same credentials
    "hard_to_undo": 2,  # what it does there cannot be undone
}
_MEDIUM: Final = 3
_HIGH: Final = 6
SMALLEST_SAMPLE: Final = 10
MOST_WRONG: Final = 0.02  # of the values that were compared
MILESTONES: Final[Mapping[Step, int]] = {"connected": 5, "end_to_end": 15, "quality": 20}  # days from the begin
TRAIL_LENGTH: Final = 50  # changes of the stage that are kept


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a connection is by itself: how much it may do, and how many fields tell of a person."""

    level: str
    personal: int
    sensitive: int


@dataclass(frozen=True, slots=True)
class Milestone:
    """When something was to be reached, when it was, and how that went."""

    step: Step
    due: date
    reached: date | None
    state: Literal["reached", "reached_late", "ahead", "late"]


def score_of(answers: Mapping[str, bool], exposure: Exposure) -> int:
    """How much weighs in: what people said yes to, and what the connection is."""
    said = sum(weight for name, weight in QUESTIONS.items() if answers.get(name))
    by_level = {"read": 0, "draft": 1, "write": 2}[exposure.level]
    return said + by_level + (1 if exposure.personal else 0) + (4 if exposure.sensitive else 0)


def risk_of(answers: Mapping[str, bool], exposure: Exposure) -> Risk:
    """The level of the risk: computed, never chosen. Fields that need more care are never a low one."""
    score = score_of(answers, exposure)
    return "high" if score >= _HIGH else "medium" if score >= _MEDIUM else "low"


def is_good_enough(checked: int, wrong: int) -> bool:
    """Whether a sample shows that what arrives there is right."""
    return checked >= SMALLEST_SAMPLE and 0 <= wrong <= checked and wrong / checked <= MOST_WRONG


def missing_for(stage: str, states: Mapping[Step, State]) -> list[Step]:
    """The steps that keep a connection from going so far, in their order."""
    return [step for step in NEEDED[stage] if states[step] != "met"]


def is_back(stage: str, before: str, stages: tuple[str, ...]) -> bool:
    """Whether this takes a connection back: that needs no step, for a way back is never closed."""
    return stages.index(stage) < stages.index(before)


def milestone_of(step: Step, begun: date, reached: date | None, today: date) -> Milestone:
    """How a milestone went, or goes (REQUIREMENTS 1.9, P8)."""
    due = begun + timedelta(days=MILESTONES[step])
    if reached is not None:
        return Milestone(step, due, reached, "reached" if reached <= due else "reached_late")
    return Milestone(step, due, None, "late" if today > due else "ahead")


def has_approver(asked_by: str, approved_by: str) -> bool:
    """Whether somebody else than the asker has approved it: four eyes."""
    return bool(approved_by) and approved_by != asked_by


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection. `marks`: of which map or configuration a step was recorded; "" for never."""

    flows: str
    config: str
    marks: Mapping[Step, str]
    risk: Risk
    risk_approved: bool
    above_default: bool
    level_approved: bool
    level_waits: bool
    works: bool
    passed: bool
    running: bool
    passed_before: bool
    out: bool
    let_out: bool
    run_succeeded: bool
    sample_good: bool


def states_of(facts: Facts) -> dict[Step, State]:
    """How each step stands, from facts: nobody ticks a step off (REQUIREMENTS 1.9, pre-work and P1 to P9)."""
    risk = _recorded(facts.marks["risk"], facts.flows)
    if risk == "met" and facts.risk == "high" and not facts.risk_approved:
        risk = "waits"
    quality = _recorded(facts.marks["quality"], facts.config)
    return {
        "scope": _recorded(facts.marks["scope"], facts.flows),
        "risk": risk,
        "consent": _recorded(facts.marks["consent"], facts.flows),
        "access": _access(facts),
        "connected": "met" if facts.works else "open",
        "validated": _validated(facts),
        "released": ("met" if facts.let_out else "stale") if facts.out else "open",
        "end_to_end": "met" if facts.run_succeeded else "open",
        "quality": "open" if quality == "met" and not facts.sample_good else quality,
    }


def _recorded(recorded: str, now: str) -> State:
    return "open" if not recorded else "met" if recorded == now else "stale"


def _access(facts: Facts) -> State:
    if facts.level_waits:
        return "waits"
    return "met" if not facts.above_default or facts.level_approved else "open"


def _validated(facts: Facts) -> State:
    if facts.running:
        return "waits"
    return "met" if facts.passed else "stale" if facts.passed_before else "open"
