"""What a demo partner, its people, its lanes and its sales are: plain values, without a word of how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.flow.fields import Value
from app.partners.brand import Brand
from app.web.frame import HelpContact, Legal


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of a partner's staff: `roles` are what they may do, `plays` the template's roles they are named for."""

    name: str
    email: str
    roles: tuple[str, ...]
    plays: tuple[str, ...]
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer's person, as the CRM has them on the deal."""

    first: str
    last: str
    title: str
    email: str
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A closed deal and how far its onboarding has come by now.

    `closed` is in working days before today. `stalls` are items that nobody has dealt with yet. `answers` are what is
    typed into fields, beside the partner's own. `changes` are CRM properties that differ from a clean deal's; None
    leaves one out. More than one of `companies` makes the account ambiguous. `package` is what the CRM calls the
    service package, and `add_ons` what it calls what was sold with it; without a package the product's name says it.
    """

    key: str
    account: str
    domain: str
    country: str
    segment: str
    contact: Contact
    closed: int
    packet: Mapping[str, str]
    seats: int
    stalls: tuple[str, ...] = ()
    answers: Mapping[str, Value] = field(default_factory=dict)
    plan: str = "team"
    region: str = "eu"
    amount: str = "24000"
    changes: Mapping[str, str | None] = field(default_factory=dict)
    companies: int = 1
    package: str | None = None
    add_ons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """One workflow: the segment it takes, and the zone and country (ISO 3166) its owners work in.

    `template` is a shelf of the library that holds an overlay of the partner.
    """

    name: str
    segment: str
    zone: str
    country: str
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPartner:
    """A partner with everything that is set up by hand once.

    `answers` are what is typed into fields of its templates, `proofs` what proves an item, by its key, and `noted` what
    is written where nothing else is known. `packages` are what it sells upon its templates, as drafts hold them.
    """

    slug: str
    name: str
    brand: Brand
    legal: Legal
    help: HelpContact
    answers: Mapping[str, Value]
    proofs: Mapping[str, str]
    lanes: tuple[Lane, ...]
    staff: tuple[Colleague, ...]
    sales: tuple[Sale, ...]
    packages: tuple[Mapping[str, Any], ...] = ()
    noted: str = "Seen, checked and noted in the project folder."

    def lane(self, segment: str) -> Lane:
        """The lane that takes this segment. Raises LookupError where none does."""
        for lane in self.lanes:
            if lane.segment == segment:
                return lane
        raise LookupError(f"no lane of {self.name} takes {segment}")

    def player(self, role: str) -> Colleague:
        """Who is named for a role of the template. Raises LookupError where nobody is."""
        for colleague in self.staff:
            if role in colleague.plays:
                return colleague
        raise LookupError(f"nobody of {self.name} plays {role}")
