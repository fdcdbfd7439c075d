"""The outputs of a stack, from Pulumi or from a file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


class OutputsError(Exception):
    """The outputs cannot be read, or one is not there. The message says what to do."""


class StackOutputs:
    """The outputs of a stack.

    Parameters
    ----------
    values
        Output name → value.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str, needed_for: str) -> str:
        """Return the output `name`.

        Raises
        ------
        OutputsError
            If the stack has none: the message says what it is `needed_for`.
        """
        value = self._values.get(name)
        if not value:
            raise OutputsError(f"the stack has no output {name}: {needed_for}")
        return value


def read_outputs(file: Path | None = None, stack: str | None = None) -> StackOutputs:
    """Read a stack's outputs.

    Parameters
    ----------
    file
        Where they are, as ``pulumi stack output --json`` prints them; ``-`` for standard input. None: Pulumi is asked.
    stack
        The stack that Pulumi is asked for. None: the selected one.

    Raises
    ------
    OutputsError
        If they cannot be read.
    """
    text = _ask_pulumi(stack) if file is None else _read(file)
    try:
        values: object = json.loads(text)
    except ValueError as error:
        raise OutputsError("the outputs are not JSON; use what `pulumi stack output --json` prints") from error
    if not isinstance(values, dict):
        raise OutputsError("the outputs are not a JSON object; use what `pulumi stack output --json` prints")
    return StackOutputs({name: value for name, value in values.items() if isinstance(value, str)})


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeError) as error:
        raise OutputsError(f"{file} cannot be read: {error}") from error


def _ask_pulumi(stack: str | None) -> str:
    command = ["pulumi", "stack", "output", "--json", *(["--stack", stack] if stack else [])]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - all of it is ours
    except FileNotFoundError as error:
        raise OutputsError("pulumi is not installed; give its outputs with --outputs FILE") from error
    except subprocess.CalledProcessError as error:
        raise OutputsError(f"pulumi stack output failed: {error.stderr.strip()}") from error
    return str(answer.stdout)
