"""When something is not as hoped."""

from __future__ import annotations

from tests.look.examples.facts import CUSTOMER, TRACE, Context

EXAMPLES: dict[str, list[Context]] = {
    f"errors/{name}.html": [{"message": message, "trace_id": TRACE, "chrome": CUSTOMER}]
    for name, message in (
        ("not_found", ""),
        ("forbidden", ""),
        ("invalid", "This form is incomplete. Open the page again and send it again."),
        ("conflict", "Dana Weber completed this task a moment ago. Open it again to see her answers."),
        ("unavailable", ""),
        ("upgrading", ""),
        ("paused", ""),
        ("unexpected", ""),
    )
}
