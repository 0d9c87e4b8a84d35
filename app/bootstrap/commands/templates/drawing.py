"""`slipway templates graph`: the flow of a template, to look at."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.templates.overlay import read_overlay
from app.templates.workbench.bench import open_bench
from app.templates.workbench.drawing import draw_dot, draw_mermaid, draw_tree
from app.templates.workbench.files import one_template, shown, text_of

_FORMATS = {"tree": draw_tree, "mermaid": draw_mermaid, "dot": draw_dot}


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """Its parser."""
    graph = actions.add_parser("graph", help="draw the flow: a tree for the terminal, Mermaid or Graphviz")
    graph.add_argument("template", type=Path, metavar="TEMPLATE")
    graph.add_argument("--overlay", type=Path, action="append", default=[], metavar="FILE", help="in this order")
    graph.add_argument("--format", choices=sorted(_FORMATS), default="tree", help="default: tree")
    graph.set_defaults(run=run_graph)


def run_graph(chosen: argparse.Namespace) -> int:
    """Print the drawing."""
    bench = open_bench(one_template(chosen.template))
    overlays = [read_overlay(text_of(path), shown(path)) for path in chosen.overlay]
    for line in _FORMATS[chosen.format](bench.effective(overlays).compile()):
        print(line)
    return 0
