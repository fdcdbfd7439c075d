"""The outputs of a stack, from Pulumi or from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE_VARIABLE: Final = "PIPELINE_OUTPUTS"
"""Environment variable that names the outputs file where no argument does; the local cloud prints an export of it."""

MASKED: Final = "[secret]"
"""What ``pulumi stack output`` prints in the place of a secret one."""

_ARN_PARTS: Final = 6
_UNKNOWN: Final = "NAME"
"""What stands for the name of a stack that a file with outputs is of."""


class OutputsError(Exception):
    """The outputs cannot be read, or one is not there. The message says what to do."""


class StackOutputs:
    """The outputs of a stack.

    Parameters
    ----------
    values
        Output name → value.
    stack
        The stack's name, as Pulumi is given it; None: the stack that is selected.
    """

    def __init__(self, values: Mapping[str, str], stack: str | None = None) -> None:
        self._values = values
        self._stack = stack

    @property
    def refresh(self) -> str:
        """The command that puts back what somebody changed or deleted beside Pulumi."""
        return " ".join(["pulumi", "up", "--refresh", *(["--stack", self._stack] if self._stack else [])])

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

    def find(self, name: str) -> str | None:
        """Return the output `name`; None if the stack has none, or Pulumi does not show it."""
        value = self._values.get(name)
        return None if value in {"", MASKED} else value

    @property
    def bucket(self) -> str:
        """The landing bucket."""
        return self._own("bucketName")

    @property
    def table(self) -> str:
        """The catalog table."""
        return self._own("tableName")

    @property
    def ingest_function(self) -> str:
        """The ingest function, whose environment says how the catalog is written."""
        return self._own("ingestFunctionName")

    @property
    def api_function(self) -> str:
        """The API's function."""
        return self._own("apiFunctionName")

    @property
    def functions(self) -> dict[str, str]:
        """The name of each function, by what it does: ingest, api and so on."""
        suffix = "FunctionName"
        found = {name.removesuffix(suffix): value for name, value in self._values.items() if name.endswith(suffix)}
        return found or {"ingest": self.ingest_function}

    def purpose(self, function_name: str) -> str:
        """Return what a function does; its name, if it is none of the stack's."""
        return next((purpose for purpose, name in self.functions.items() if name == function_name), function_name)

    @property
    def release_application(self) -> str | None:
        """CodeDeploy's application; None if the alias of a function moves at once, with the update."""
        return self._values.get("releaseApplicationName")

    @property
    def kept_versions(self) -> int:
        """How many old versions of each function are kept."""
        return int(self._own("keptVersions"))

    @property
    def queue_url(self) -> str:
        """The intake queue."""
        return self._own("queueUrl")

    @property
    def queue_arn(self) -> str:
        """The intake queue's ARN."""
        return self._own("queueArn")

    @property
    def dead_letter_queue_url(self) -> str:
        """The intake's dead-letter queue."""
        return self._own("deadLetterQueueUrl")

    @property
    def delivery_dead_letter_queue_url(self) -> str | None:
        """The delivery's dead-letter queue; None if the stack delivers nothing."""
        return self._values.get("deliveryDeadLetterQueueUrl")

    @property
    def delivery_queue_arn(self) -> str | None:
        """The delivery queue's ARN; None if the stack delivers nothing."""
        return self._values.get("deliveryQueueArn")

    @property
    def region(self) -> str:
        """The stack's region."""
        return self._queue_arn_parts()[3]

    @property
    def account(self) -> str:
        """The id of the account that the stack is in."""
        return self._queue_arn_parts()[4]

    def _queue_arn_parts(self) -> list[str]:
        parts = self.queue_arn.split(":")
        if len(parts) != _ARN_PARTS:
            raise OutputsError(f"the output queueArn is {self.queue_arn!r}: should be the ARN of a queue")
        return parts

    def _own(self, name: str) -> str:
        return self.get(name, "are these the outputs of this program's stack, and is it deployed?")


def read_outputs(file: Path | None = None, stack: str | None = None) -> StackOutputs:
    """Read a stack's outputs.

    Parameters
    ----------
    file
        Where they are, as ``pulumi stack output --json`` prints them; ``-`` for standard input.
    stack
        The stack that Pulumi is asked for. Neither: the file that `FILE_VARIABLE` names, else the selected stack.

    Raises
    ------
    OutputsError
        If they cannot be read.
    """
    named = os.environ.get(FILE_VARIABLE)
    if file is None and stack is None and named:
        file = Path(named)
    text = _ask_pulumi(stack) if file is None else _read(file)
    try:
        values: object = json.loads(text)
    except ValueError as error:
        raise OutputsError("the outputs are not JSON; use what `pulumi stack output --json` prints") from error
    if not isinstance(values, dict):
        raise OutputsError("the outputs are not a JSON object; use what `pulumi stack output --json` prints")
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return StackOutputs(texts, stack if file is None else _UNKNOWN)


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
