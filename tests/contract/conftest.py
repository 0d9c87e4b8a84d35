"""Every connector that is found, with its stand-in running and a runner that reaches it through the address book."""

import ssl
from dataclasses import replace

import pytest

from app.connectors.kit.registry import Registry
from app.connectors.trials.bench import TOKEN, bench_of

__all__ = ["REGISTRY", "TOKEN", "TRUST"]
REGISTRY = Registry.load()
TIME_LIMIT = 0.6
TRUST = ssl.create_default_context()  # read once: it takes longer than most tests


@pytest.fixture
def bench(provider):
    """A fresh one; `provider` is parametrised by each test."""
    with bench_of(REGISTRY.get(provider), TRUST, seeded=False) as bench:
        yield replace(bench, patience=TIME_LIMIT)


@pytest.fixture(scope="module")
def shared_bench(request):
    """One for all checks of a provider; each leaves it as it can be used by the next."""
    with bench_of(REGISTRY.get(request.param), TRUST) as bench:
        yield bench
