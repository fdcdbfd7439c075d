"""Checks the schemas that a stack's config names, before any resource is declared.

The functions load them at start: a wrong one would fail every message of the intake, records or not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from components.pipeline import PipelineArgs
from components.settings import SettingsError, StackSettings

_FUNCTIONS: Final = Path(__file__).resolve().parents[1] / "lambda_src"


def check(stack: StackSettings | PipelineArgs) -> None:
    """Load every schema that the setting ``recordTypes`` names, and build its decoders.

    Parameters
    ----------
    stack
        What it is called, and its checked settings.

    Raises
    ------
    SettingsError
        If a prefix has two schemas, or a schema cannot be used. All problems are named at once.
    """
    with _importable_functions():
        from tools.schema_problems import find_problem  # noqa: PLC0415 - it imports what the functions share

        problems: list[str] = []
        places: dict[str, int] = {}
        for index, entry in enumerate(stack.settings.record_types):
            prefix, _, name = entry.rpartition("=")
            setting = f"{stack.project}:recordTypes[{index}] = {entry!r}"
            first = places.setdefault(prefix, index)
            if first != index:
                problems.append(f"{setting}: the prefix {prefix} has its schema in recordTypes[{first}] already")
            problem = find_problem(name)
            if problem:
                problems.append(f"{setting}: {problem}")
    if problems:
        raise SettingsError(f"wrong settings of stack {stack.stage!r}:\n" + "\n".join(f"  {p}" for p in problems))


@contextmanager
def _importable_functions() -> Iterator[None]:
    """Find the functions' packages first, as Lambda does, whatever else has names such as theirs."""
    sys.path.insert(0, str(_FUNCTIONS))
    try:
        yield
    finally:
        sys.path.remove(str(_FUNCTIONS))
