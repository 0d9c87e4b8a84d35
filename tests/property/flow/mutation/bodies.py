"""Every function of the engine that has mutants, and how it becomes one of them: its code is put in place of its own.

mutmut calls every function through a wrapper that asks which mutant is meant; that doubles what the tests take.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType

from mutmut.mutation import trampoline

ORIGINAL = "_mutmut_orig"
Mutants = dict[str, FunctionType]


def function_of(mutant: str) -> str:
    """The name of a mutant's function."""
    return mutant.partition("__mutmut_")[0]


class Bodies:
    """The functions with their mutants, as the engine's modules are imported."""

    def __init__(self) -> None:
        self._found: list[tuple[FunctionType, Mutants]] = []

    def collect(self) -> None:
        """Stand in for mutmut's wrapper from now on."""
        trampoline.wrap_in_trampoline = self._keep  # type: ignore[assignment]  # what it gives is called the same

    def _keep(self, mutants: Mutants, *, is_classmethod: bool = False) -> Callable[[FunctionType], FunctionType]:
        del is_classmethod  # its code is that of a function like any other

        def found(function: FunctionType) -> FunctionType:
            self._found.append((function, mutants))  # they are filled in after it
            return function

        return found

    def codes(self) -> dict[CodeType, str]:
        """The code of each function, with its name."""
        return {function.__code__: self._name(function, mutants) for function, mutants in self._found}

    def put(self, mutant: str) -> None:
        """Let a function be this mutant of it; without a number, as sound as it is."""
        for function, mutants in self._found:
            if self._name(function, mutants) == function_of(mutant):
                body = mutants.get(mutant.rpartition(".")[2], mutants[ORIGINAL])
                function.__code__, function.__defaults__ = body.__code__, body.__defaults__
                function.__kwdefaults__ = body.__kwdefaults__
                return
        raise LookupError(mutant)

    @staticmethod
    def _name(function: FunctionType, mutants: Mutants) -> str:
        return f"{function.__module__}.{function_of(mutants[ORIGINAL].__name__)}"
