"""Checks the schemas that a stack's config names, before any resource is declared.

The functions load them at start: a wrong one would fail every message of the intake, records or not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path
from typing import Final

from components.packaging import SCHEMAS_PACKAGE, schema_files
from components.pipeline import PipelineArgs, schema_folder
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
        If a prefix has two schemas, a schema cannot be used, or its folder cannot. All problems are named at once.
    """
    folder = schema_folder(stack.settings)
    problems = [f"{stack.project}:recordSchemas = {stack.settings.record_schemas!r}: {why}" for why in _wrong(folder)]
    with _importable_functions(folder):
        from tools.schema_problems import find_problem  # noqa: PLC0415 - it imports what the functions share

        places: dict[str, int] = {}
        for index, entry in enumerate(stack.settings.record_types):
            prefix, _, name = entry.rpartition("=")
            setting = f"{stack.project}:recordTypes[{index}] = {entry!r}"
            first = places.setdefault(prefix, index)
            if first != index:
                problems.append(f"{setting}: the prefix {prefix} has its schema in recordTypes[{first}] already")
            problem = find_problem(name, folder)
            if problem:
                problems.append(f"{setting}: {problem}")
    if problems:
        raise SettingsError(f"wrong settings of stack {stack.stage!r}:\n" + "\n".join(f"  {p}" for p in problems))


def _wrong(folder: Path | None) -> Iterator[str]:
    """Say why the schemas of a folder cannot be packed with ours."""
    if folder and not folder.is_dir():
        yield f"there is no folder {folder}"
    for path in schema_files(folder):
        if (_FUNCTIONS / SCHEMAS_PACKAGE / path.name).is_file():
            yield f"{path.name} is in lambda_src/{SCHEMAS_PACKAGE} too: give yours another name"


@contextmanager
def _importable_functions(folder: Path | None) -> Iterator[None]:
    """Find the functions' packages first, as Lambda does, whatever else has names such as theirs; and own schemas."""
    sys.path.insert(0, str(_FUNCTIONS))
    try:
        with _importable_schemas(folder):
            yield
    finally:
        sys.path.remove(str(_FUNCTIONS))


@contextmanager
def _importable_schemas(folder: Path | None) -> Iterator[None]:
    """Find a folder's schemas beside ours, and forget them afterwards."""
    if folder is None:
        yield
        return
    from shared.records import schemas  # noqa: PLC0415 - it can be found by now

    places = list(schemas.__path__)
    schemas.__path__ = [*places, str(folder)]
    invalidate_caches()  # a file may be newer than what Python knows of its folder
    try:
        yield
    finally:
        schemas.__path__ = places
        for path in schema_files(folder):
            sys.modules.pop(f"{schemas.__name__}.{path.stem}", None)
