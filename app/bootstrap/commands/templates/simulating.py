"""`slipway templates simulate`: many histories of a template through the engine, to see that every one ends."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from app.flow.definition import Definition
from app.flow.reading import read_definition
from app.flow.simulate import DeadEnd, Report, Walked, look, sum_up
from app.flow.simulation.edges import edges_of
from app.kernel.errors import Missing, Unavailable
from app.templates.overlay import Effective, read_overlay
from app.templates.workbench.bench import open_bench
from app.templates.workbench.files import one_template, shown, text_of

_CHUNK = 50  # histories that a process walks before it says so
_MOST = 1_000_000
_OFTEN = 0.2  # seconds between two lines of progress
_TOLD = 10  # dead ends that are told in full
_walked_here: dict[str, Definition] = {}  # of a process that walks: the one definition it was given


class WalkStopped(Unavailable):
    """Processes that walked are gone."""


class NoSuchEdge(Missing):
    """The template has no edge of that name."""


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """Its parser."""
    parser = actions.add_parser("simulate", help="walk many histories: dead ends, longest paths, what is never done")
    parser.add_argument("template", type=Path, metavar="TEMPLATE")
    parser.add_argument("--overlay", type=Path, action="append", default=[], metavar="FILE", help="in this order")
    parser.add_argument("--histories", type=_count, default=1_000, metavar="N", help="random ones; default: 1000")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first; default: 1")
    parser.add_argument("--edge", metavar="NAME", help="walk only this edge, with this seed")
    parser.add_argument("--workers", type=_workers, default=min(os.cpu_count() or 1, 4), metavar="N")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.set_defaults(run=run_simulate)


def run_simulate(chosen: argparse.Namespace) -> int:
    """Walk and report; 1 where a history cannot reach the end or an item is never done."""
    bench = open_bench(one_template(chosen.template))
    effective = bench.effective([read_overlay(text_of(path), shown(path)) for path in chosen.overlay])
    definition = effective.compile()
    began = time.monotonic()
    walked = list(_progress(_walks(effective, definition, chosen), _number(definition, chosen)))
    report = sum_up(definition, walked)
    if chosen.json:
        print(json.dumps(msgspec.to_builtins(report), indent=2))
    else:
        for line in _told(report, definition, sum(bool(each.edge) for each in walked), time.monotonic() - began):
            print(line)
    never = report.never if chosen.edge is None else ()
    return int(bool(report.dead_ends or never))


def _walks(effective: Effective, definition: Definition, chosen: argparse.Namespace) -> Iterator[Walked]:
    edges = {each.name: each for each in edges_of(definition)}
    if chosen.edge is not None:
        if chosen.edge not in edges:
            raise NoSuchEdge(f"There is no edge “{chosen.edge}”. There are: {', '.join(edges)}.")
        yield look(definition, chosen.seed, edges[chosen.edge])
        return
    yield from (look(definition, chosen.seed, edge) for edge in edges.values())
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    if chosen.workers == 1 or len(seeds) <= _CHUNK:
        yield from (look(definition, seed) for seed in seeds)
    else:
        yield from _in_processes(effective.document, effective.digest, seeds, chosen.workers)


def _in_processes(document: Mapping[str, Any], digest: str, seeds: range, workers: int) -> Iterator[Walked]:
    """Each process reads the definition once. However this ends, none is left behind. Raises WalkStopped."""
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare, initargs=(dict(document), digest))
    try:
        for done in as_completed(_submitted(pool, chunks)):
            yield from done.result()
    except BrokenExecutor:
        raise WalkStopped("A process that walked was ended from outside; nothing is reported.") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, chunks: list[range]) -> list[Future[list[Walked]]]:
    """Processes begin with this and hear no interrupt: it is the parent's to answer, who then asks for no more."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # whoever is begun meanwhile inherits it
    try:
        return [pool.submit(_walk_chunk, chunk) for chunk in chunks]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # what came meanwhile comes now


def _prepare(document: Mapping[str, Any], digest: str) -> None:
    _walked_here["definition"] = read_definition(document, digest)
    gc.freeze()


def _walk_chunk(seeds: range) -> list[Walked]:
    return [look(_walked_here["definition"], seed) for seed in seeds]


def _number(definition: Definition, chosen: argparse.Namespace) -> int:
    return 1 if chosen.edge is not None else len(edges_of(definition)) + int(chosen.histories)


def _progress(walked: Iterable[Walked], number: int) -> Iterator[Walked]:
    """The same, with one line on a terminal that says how far it is."""
    terminal, began = sys.stderr.isatty(), time.monotonic()
    shown_at = began
    for count, each in enumerate(walked, 1):
        yield each
        now = time.monotonic()
        if terminal and (now - shown_at >= _OFTEN or count == number):
            shown_at, rate = now, count / max(now - began, 0.001)
            sys.stderr.write(f"\r{count:>10,} of {number:,} histories  {rate:,.0f}/s " + "\n" * (count == number))
            sys.stderr.flush()


def _told(report: Report, definition: Definition, edges: int, seconds: float) -> Iterator[str]:
    name = f"{definition.id} {definition.version}"
    yield f"{name}: {report.histories:,} histories ({edges} along edges) in {seconds:.1f} s"
    yield f"  {report.finished:,} finished, {report.cancelled:,} cancelled, {len(report.dead_ends):,} dead ends"
    yield f"  most steps: {report.longest:,} ({report.longest_by})"
    yield f"  longest time: {report.slowest:,} working days ({report.slowest_by})"
    yield f"  never done: {', '.join(report.never) or 'nothing'}"
    rare = sorted((count, key) for key, count in report.touched.items())[:3]
    yield f"  seldom done: {', '.join(f'{key} ({count:,})' for count, key in rare)}"
    for dead in report.dead_ends[:_TOLD]:
        stuck = ", ".join(dead.stuck) or "nothing is open"
        yield f"  dead end after {dead.steps} steps: {stuck}; again: {_again(dead)}"
    if len(report.dead_ends) > _TOLD:
        yield f"  and {len(report.dead_ends) - _TOLD:,} more"


def _again(dead: DeadEnd) -> str:
    return f"--seed {dead.seed} " + (f"--edge “{dead.edge}”" if dead.edge else "--histories 1")


def _count(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= _MOST:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MOST:,}")
    return int(raw)


def _workers(raw: str) -> int:
    most = 4 * (os.cpu_count() or 1)
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= most:
        raise argparse.ArgumentTypeError(f"must be 1 to {most}")
    return int(raw)
