"""Builds a stack on the emulator: each resource that the program declares is created there, with a real id and ARN."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs

from local.cloud import Cloud
from local.limits import NOT_EMULATED, NOT_READ
from local.program import run_program
from local.services import CREATORS
from local.services.base import Inputs, Properties
from local.stack_config import StackConfig

_COMPONENT_PREFIX: Final = "pipeline:"
_PROVIDER: Final = "pulumi:providers:aws"


class NotEmulatedError(LookupError):
    """The program declares or asks for something that the local cloud has no answer to."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack on the emulator.

    Parameters
    ----------
    outputs
        What it exports.
    resources
        Type of each resource that it declares, by name.
    """

    outputs: Mapping[str, str]
    resources: Mapping[str, str] = field(default_factory=dict)


def deploy(
    config: StackConfig,
    cloud: Cloud,
    on_resource: Callable[[int], None] = lambda _count: None,
    logger: logging.Logger | None = None,
) -> Deployment:
    """Run the program for a stack against the emulator.

    Parameters
    ----------
    config
        The stack.
    cloud
        The emulator.
    on_resource
        Called with the number of resources declared so far.
    logger
        Where the program's own messages go.

    Raises
    ------
    NotEmulatedError
        If the program declares a resource of a type that is unknown here, or a property that nothing reads.
    """
    provider = EmulatorProvider(cloud, on_resource)
    outputs = run_program(config, provider, MockMonitor(provider), logger=logger)
    return Deployment(outputs={name: str(value) for name, value in outputs.items()}, resources=dict(provider.resources))


class EmulatorProvider(pulumi.runtime.Mocks):
    """Takes the AWS provider's place: creates what is declared, answers what is asked.

    Parameters
    ----------
    cloud
        The emulator.
    on_resource
        Called with the number of resources declared so far.
    """

    def __init__(self, cloud: Cloud, on_resource: Callable[[int], None]) -> None:
        self._cloud = cloud
        self._on_resource = on_resource
        self._lock = threading.Lock()  # the program declares from several threads
        self.resources: dict[str, str] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str, Properties]:
        """Create a declared resource."""
        inputs: Properties = dict(args.inputs)
        if args.typ.startswith(_COMPONENT_PREFIX):
            return "", inputs
        with self._lock:
            self.resources[args.name] = args.typ
            self._on_resource(len(self.resources))
        if args.typ == _PROVIDER or args.typ in NOT_EMULATED:
            return args.name, inputs
        creator = CREATORS.get(args.typ)
        if creator is None:
            raise NotEmulatedError(f"{args.name}: the local cloud knows no {args.typ}: add it to local/services/")
        read = Inputs(args.name, inputs)
        created = creator(self._cloud, read)
        unread = read.unread() - NOT_READ.get(args.typ, {}).keys()
        if unread:
            raise NotEmulatedError(
                f"{args.name}: the local cloud ignores {', '.join(sorted(unread))} of {args.typ}: "
                "pass it on in local/services/, or say in local/limits.py why not"
            )
        return created.id, {**inputs, **created.outputs}

    def call(self, args: MockCallArgs) -> tuple[Properties, list[tuple[str, str]]]:
        """Answer what the program asks of the provider."""
        answers: Mapping[str, Properties] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": self._cloud.account},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getRegion:getRegion": {"region": self._cloud.region},
        }
        if args.token == "aws:secretsmanager/getRandomPassword:getRandomPassword":  # noqa: S105 - a name
            return self._random_password(Inputs(args.token, args.args)), []
        if args.token not in answers:
            raise NotEmulatedError(f"the local cloud has no answer to {args.token}: add it to local/deploy.py")
        return answers[args.token], []

    def _random_password(self, inputs: Inputs) -> Properties:
        answer = self._cloud.client("secretsmanager").get_random_password(
            PasswordLength=inputs.integer("passwordLength", 32),
            ExcludeCharacters=inputs.text("excludeCharacters", ""),
            ExcludePunctuation=inputs.flag("excludePunctuation"),
            RequireEachIncludedType=inputs.flag("requireEachIncludedType"),
        )
        return {"randomPassword": answer["RandomPassword"]}
