"""What the program declares for a config, with names in place of ids and ARNs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs

from local.program import run_program
from local.stack_config import StackConfig

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"

_OUTPUTS: Final = ("apiEndpoint", "arn", "endpoint", "executionArn", "invokeArn", "keyId", "name", "url")
"""What the program asks of what it declares."""


class _Recorder(pulumi.runtime.Mocks):
    """Answers the program with names in place of ids and ARNs, and notes what it declares."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self.declared: list[tuple[str, str, Mapping[str, object]]] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, object]]:
        name, inputs = args.name.removeprefix(self._prefix), dict(args.inputs)
        with self._lock:  # the program declares from several threads
            self.declared.append((args.typ, name, inputs))
        outputs = dict.fromkeys(_OUTPUTS, name)
        return name, {**outputs, "streamArn": f"{name}/stream/*", **inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]]]:
        answers: dict[str, dict[str, object]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getRegion:getRegion": {"region": REGION},
            "aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "not a password"},
        }
        return answers[args.token], []


Declared: TypeAlias = Sequence[tuple[str, str, Mapping[str, object]]]
"""Type, name and inputs of resources."""


def declared_by(config: StackConfig) -> Declared:
    """Return what the program declares for a config, each name without project and stage.

    Raises
    ------
    SettingsError
        If the program refuses the config.
    """
    recorder = _Recorder(f"{config.project}-{config.stage}-")
    quiet = logging.Logger("program", logging.ERROR)  # noqa: LOG001 - of this run alone: what it says to an operator
    run_program(config, recorder, MockMonitor(recorder), logger=quiet)
    return recorder.declared
