"""`slipway plans` and `slipway partners`: what is sold, how much of it a partner may have, and with which roles."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from app.access.roles import PARTNER_ROLES
from app.kernel.errors import Invalid
from app.settings import Settings
from app.tenancy.rules import LIMITS, MOST, is_plan_key
from tenants.schema.plans import PlanRow, grant_partner, limit_partner, list_partners, list_plans, set_plan


class PlanUnusable(Invalid):
    """The plan cannot be called that, or limits what nobody counts."""


def run_plans(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked and show every plan. Returns the exit code."""
    chosen = _plans_parser().parse_args(arguments)
    if chosen.action == "set":
        limits = dict(_limit(said) for said in chosen.limit)
        if not is_plan_key(chosen.key):
            raise PlanUnusable(f"{chosen.key!r} cannot be the key of a plan: use lower case letters, digits and _.-")
        told, missed = set_plan(settings.control_url, PlanRow(chosen.key, chosen.name, chosen.weight, limits))
        print(f"The plan {chosen.key} stands. {told} workspaces follow within seconds.")
        if missed:
            print(f"{missed} are being changed at this moment: say it again for them.")
    rows = [("PLAN", "NAME", "WEIGHT", "LIMITS", "WORKSPACES")]
    for plan in list_plans(settings.control_url):
        limits_said = ", ".join(f"{key}={value}" for key, value in sorted(plan.limits.items())) or "-"
        rows.append((plan.key, plan.name, str(plan.weight), limits_said, str(plan.tenants)))
    _show(rows)
    return 0


def run_partners(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked and show every partner's quota. Returns the exit code."""
    chosen = _partners_parser().parse_args(arguments)
    if chosen.action == "limit":
        limit_partner(settings.control_url, chosen.slug, chosen.tenants)
    if chosen.action == "grant":
        grant_partner(settings.control_url, chosen.slug, chosen.roles)
    rows = [("PARTNER", "NAME", "WORKSPACES", "ALLOWED", "ROLES")]
    for slug, name, quota, used, roles in list_partners(settings.control_url):
        granted = "any" if roles is None else ",".join(roles) or "none"
        rows.append((slug, name, str(used), "any" if quota is None else str(quota), granted))
    _show(rows)
    return 0


def _plans_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway plans", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every plan, and how many workspaces are on it")
    made = actions.add_parser("set", help="make a plan, or change it: workspaces on it follow")
    made.add_argument("key", help="what the API calls it")
    made.add_argument("--name", required=True)
    made.add_argument("--weight", type=_number, default=1, help="its share of the workers, beside others' shares")
    known = ", ".join(f"{key} ({means})" for key, means in LIMITS.items())
    made.add_argument("--limit", action="append", default=[], metavar="KEY=N", help=f"may be given again: {known}")
    return parser


def _partners_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway partners", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every partner with its quota")
    limit = actions.add_parser("limit", help="how many customers' workspaces a partner may have, with all below it")
    limit.add_argument("slug")
    bound = limit.add_mutually_exclusive_group(required=True)
    bound.add_argument("--tenants", type=_number, metavar="N")
    bound.add_argument("--none", action="store_true", help="as many as it likes")
    grant = actions.add_parser(
        "grant", help="which roles its staff, and all below it, may have in customers' workspaces"
    )
    grant.add_argument("slug")
    known = ",".join(sorted(PARTNER_ROLES))
    which = grant.add_mutually_exclusive_group(required=True)
    which.add_argument("--roles", type=_roles, metavar="ROLE,ROLE", help=f"of {known}; counts at once")
    which.add_argument("--all", action="store_true", help="every one")
    return parser


def _roles(raw: str) -> list[str]:
    named = sorted(set(raw.split(",")))
    if not set(named) <= {str(role) for role in PARTNER_ROLES}:
        raise argparse.ArgumentTypeError(f"must be of {', '.join(sorted(PARTNER_ROLES))}")
    return named


def _number(raw: str) -> int:
    number = int(raw)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"must be 1 to {MOST}")
    return number


def _limit(said: str) -> tuple[str, int]:
    key, _, raw = said.partition("=")
    if key not in LIMITS or not raw.isascii() or not raw.isdigit() or int(raw) > MOST:
        raise PlanUnusable(f"{said!r} is no limit. There are: {', '.join(f'{known}=N' for known in LIMITS)}.")
    return key, int(raw)


def _show(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
