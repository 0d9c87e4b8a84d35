"""One or more example contexts for every page, fragment and mail: what it looks like empty, usual and in trouble.

A page is added with its example: the architecture test renders each one and refuses a page without. The examples are
also where the shape of a page's context can be read.
"""

from __future__ import annotations

from tests.look.examples import customer, emails, errors, gate, identity, partner, web
from tests.look.examples.facts import Context

EXAMPLES: dict[str, list[Context]] = {
    page: contexts
    for module in (identity, customer, partner, gate, web, errors, emails)
    for page, contexts in module.EXAMPLES.items()
}
