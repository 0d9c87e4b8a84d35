"""One or more example contexts for every page, fragment and mail: what it looks like empty, usual and in trouble.

A page is added with its example: the architecture test renders each one and refuses a page without. The examples are
also where the shape of a page's context can be read. One that `reads` a language is drawn in no other. A module is
found, not listed: it only needs its EXAMPLES.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from tests.look.examples.facts import Context

EXAMPLES: dict[str, list[Context]] = {}
for _module in walk_packages(__path__, f"{__name__}."):
    for _page, _contexts in getattr(import_module(_module.name), "EXAMPLES", {}).items():
        EXAMPLES[_page] = EXAMPLES.get(_page, []) + _contexts  # a page may have more from another module, after its own
