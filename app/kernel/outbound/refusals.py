"""Why the egress guard refuses: a rule's name for counting, a sentence for people in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from prometheus_client import Counter

from app.kernel.errors import Invalid, mark

DENIED = Counter("slipway_egress_denied", "Outgoing calls that the egress guard refused.", ["rule"])

_log = structlog.get_logger(__name__)

NOT_PUBLIC: Final = mark("This is not an address on the public internet.")
_ONLY_HTTPS: Final = mark("Only https addresses can be called.")
# By rule; what is not here is about an address that no peer on the internet has. None names the host: a sentence with
# a place to fill could not be looked up in a catalogue once it is stored, and the log has the host.
SENTENCES: Final[Mapping[str, str]] = {
    "too_long": mark("The address is longer than 4,096 characters."),
    "malformed_url": mark("This is not a web address of the form https://host/path."),
    "malformed_host": mark("The host of the address cannot be read."),
    "malformed_path": mark("The path of the address holds characters that must be percent-encoded."),
    "malformed_answer": mark("The name of the peer leads to something that is no address."),
    "scheme": _ONLY_HTTPS,
    "plain_http": _ONLY_HTTPS,
    "userinfo": mark("A web address must not carry a user name or password."),
    "port": mark("Only port 443 can be called."),
    "numeric_host": mark("A numeric host must be written as four plain decimal numbers."),
    "trailing_dot": mark("The host of the address must not end with a dot."),
    "sandbox": mark("Sandbox: not sent. This address is called from customers' workspaces only."),
    "client_certificate": mark("The certificate of the connection or its key cannot be used."),
    "header": mark("A header of this request cannot be sent."),
    "method": mark("The method of this request cannot be sent."),
}
LEADS_INSIDE: Final = mark("The name of the peer leads to an address outside the public internet.")


class EgressRefused(Invalid):
    """The guard will not call this; nothing was sent. `rule` is the stable name of the reason."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def refuse(rule: str, host: str = "", *, sentence: str = "", detail: str = "") -> EgressRefused:
    """Count and log a refusal; the caller raises what comes back. The URL is not logged: it may hold a secret."""
    DENIED.labels(rule).inc()
    _log.warning("egress_denied", rule=rule, host=host[:253], **({"detail": detail[:80]} if detail else {}))
    return EgressRefused(rule, sentence or SENTENCES.get(rule, NOT_PUBLIC))
