"""The trigger contract: may this sold deal start this workflow, now, once? Pure; REQUIREMENTS 1.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RULE_VERSION = "trigger-contract/1"

# REQUIREMENTS 1.3, "Required fields validated".
DEFAULT_REQUIRED = ("segment", "owner", "start_date", "product", "plan", "amount", "implementation_type")

Answer = Literal["admitted", "excluded", "held"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Deals of which this field has this value are not for this workflow, for this reason."""

    fact: str
    equals: object
    reason: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What must be true of a deal before anything starts. Stored as data in the workflow."""

    stages: tuple[str, ...]
    segments: tuple[str, ...]
    required: tuple[str, ...] = DEFAULT_REQUIRED
    conditions: Mapping[str, bool] = field(default_factory=dict)  # commercial state: contract_signed, payment_ready
    exclusions: tuple[Exclusion, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Contract:
        """Read the stored form. Raises KeyError or TypeError where it is not one; it is validated when it is saved."""
        return cls(
            stages=tuple(document["stages"]),
            segments=tuple(document["segments"]),
            required=tuple(document.get("required", DEFAULT_REQUIRED)),
            conditions=dict(document.get("conditions", {})),
            exclusions=tuple(Exclusion(**exclusion) for exclusion in document.get("exclusions", ())),
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict on one deal, with what it takes to explain it: the reason and the fields that are missing.

    `package` is what an admitted deal was sold with: id, version, digest and add-ons of a service package.
    """

    answer: Answer
    reason: str
    missing: tuple[str, ...] = ()
    exception: str | None = None
    reason_code: str | None = None
    package: Mapping[str, Any] | None = None


def decide_admission(contract: Contract, facts: Mapping[str, Any], *, account_has_other: str | None) -> Admission:
    """Admit, exclude, or hold for a person. An ambiguous CRM state never starts anything.

    `account_has_other` names another deal of the same account that has already been admitted, if there is one.
    """
    if refusal := _excluded(contract, facts):
        return Admission("excluded", refusal)
    missing = tuple(name for name in contract.required if _is_blank(facts.get(name)))
    if missing:
        return _held(f"The deal came without {_list(missing)}.", "deal_incomplete", "scope_mismatch", missing=missing)
    if facts.get("segment") not in contract.segments:
        return Admission("excluded", f"Segment {facts.get('segment')!r} is not one of this workflow's.")
    held = _ambiguous(facts) or _not_ready(contract, facts) or _duplicate(account_has_other)
    return held or Admission("admitted", "All conditions of the trigger contract are met.")


def _excluded(contract: Contract, facts: Mapping[str, Any]) -> str | None:
    stage = facts.get("stage")
    if stage not in contract.stages:
        return f"The deal's stage is {stage!r}; this workflow starts at {_list(contract.stages)}."
    for exclusion in contract.exclusions:
        if facts.get(exclusion.fact) == exclusion.equals:
            return exclusion.reason
    return None


def _ambiguous(facts: Mapping[str, Any]) -> Admission | None:
    if not _is_blank(facts.get("account_id")) and not _is_blank(facts.get("account_name")):
        return None
    reason = "It is not clear whose deal this is: exactly one company with a name must be on it, or be marked."
    return _held(reason, "deal_ambiguous", "scope_mismatch", missing=("account",))


def _not_ready(contract: Contract, facts: Mapping[str, Any]) -> Admission | None:
    unmet = tuple(name for name, wanted in contract.conditions.items() if facts.get(name) is not wanted)
    if not unmet:
        return None
    reason = f"Closed-won, but the commercial conditions are not met: {_list(unmet)}."
    return _held(reason, "deal_not_ready", "waiting_billing_info", missing=unmet)


def _duplicate(other: str | None) -> Admission | None:
    if not other:
        return None
    reason = f"Deal {other} of the same account has already been admitted: is this one a duplicate?"
    return _held(reason, "deal_duplicate", "scope_mismatch")


def _held(reason: str, exception: str, code: str, *, missing: tuple[str, ...] = ()) -> Admission:
    return Admission("held", reason, missing=missing, exception=exception, reason_code=code)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
