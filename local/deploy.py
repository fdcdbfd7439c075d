"""Builds a stack on the emulator: each resource that the program declares is made there, with its real id and ARN."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs

from local.cloud import Cloud
from local.program import run_program
from local.services import (
    apigateway,
    cloudwatch,
    cognito,
    dynamodb,
    iam,
    kms,
    lambda_,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
)
from local.services.base import Creator, Inputs, Properties
from local.stack_config import StackConfig

NOT_EMULATED: Final[Mapping[str, str]] = {
    "aws:appautoscaling/policy:Policy": "capacity is not emulated",
    "aws:appautoscaling/target:Target": "capacity is not emulated",
    "aws:cognito/riskConfiguration:RiskConfiguration": "no attack is looked for",
    "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration": "nothing is archived",
}
"""Resource types that are declared and not made, and why."""

LIMITS: Final[Mapping[str, str]] = {
    "aws:apigatewayv2/stage:Stage": "made, but no access logs are written and nothing is throttled",
    "aws:cloudwatch/dashboard:Dashboard": "made, but there is no console to show it",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "made, but no metric of a function, queue or table reaches it",
    "aws:cognito/userPool:UserPool": "made, but no e-mail is sent and no attack is looked for",
    "aws:dynamodb/table:Table": "made; capacity, throttling, encryption and the condition dynamodb:LeadingKeys of "
    "queries are not emulated",
    "aws:kms/key:Key": "made, but a ciphertext that was changed opens all the same: nothing is authenticated; the "
    "other services do not ask it, so the condition kms:ViaService only keeps functions from asking it themselves",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "made; of a stream, one batch at a time is "
    "read, without asking the role; one that fails in part comes again whole, unsplit, its retries uncounted",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "made, but nothing expires",
    "aws:s3/bucketLogging:BucketLogging": "made, but no access logs are written",
    "aws:secretsmanager/secret:Secret": "made, but not encrypted with the key",
    "aws:sns/topicSubscription:TopicSubscription": "made, but no e-mail is sent",
}
"""Resource types that are made and do less than on AWS."""

NOT_READ: Final[Mapping[str, Mapping[str, str]]] = {
    "aws:kms/key:Key": {"deletionWindowInDays": "counts from the key's deletion"},
    "aws:lambda/function:Function": {"sourceCodeHash": "tells Pulumi that the archive has changed"},
    "aws:lambda/layerVersion:LayerVersion": {"sourceCodeHash": "tells Pulumi that the archive has changed"},
    "aws:s3/bucket:Bucket": {"forceDestroy": "counts when the stack is destroyed"},
    "aws:secretsmanager/secret:Secret": {"recoveryWindowInDays": "counts from the secret's deletion"},
}
"""Type → properties that no creator passes on, and why. Any other that is declared and not read is an error."""

_CREATORS: Final[Mapping[str, Creator]] = {
    **apigateway.CREATORS,
    **cloudwatch.CREATORS,
    **cognito.CREATORS,
    **dynamodb.CREATORS,
    **iam.CREATORS,
    **kms.CREATORS,
    **lambda_.CREATORS,
    **s3.CREATORS,
    **scheduler.CREATORS,
    **secretsmanager.CREATORS,
    **sns.CREATORS,
    **sqs.CREATORS,
}
_COMPONENT_PREFIX: Final = "pipeline:"
_PROVIDER: Final = "pulumi:providers:aws"


class NotEmulatedError(LookupError):
    """The program declares or asks for something that the local cloud has no answer to."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack that stands on the emulator.

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
        Told how many resources have been declared so far.
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
    """Stands where the AWS provider stands: makes what is declared, answers what is asked.

    Parameters
    ----------
    cloud
        The emulator.
    on_resource
        Told how many resources have been declared so far.
    """

    def __init__(self, cloud: Cloud, on_resource: Callable[[int], None]) -> None:
        self._cloud = cloud
        self._on_resource = on_resource
        self._lock = threading.Lock()  # the program declares from several threads
        self.resources: dict[str, str] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str, Properties]:
        """Make a declared resource."""
        inputs: Properties = dict(args.inputs)
        if args.typ.startswith(_COMPONENT_PREFIX):
            return "", inputs
        with self._lock:
            self.resources[args.name] = args.typ
            self._on_resource(len(self.resources))
        if args.typ == _PROVIDER or args.typ in NOT_EMULATED:
            return args.name, inputs
        creator = _CREATORS.get(args.typ)
        if creator is None:
            raise NotEmulatedError(f"{args.name}: the local cloud knows no {args.typ}: add it to local/services/")
        read = Inputs(args.name, inputs)
        made = creator(self._cloud, read)
        unread = read.unread() - NOT_READ.get(args.typ, {}).keys()
        if unread:
            raise NotEmulatedError(
                f"{args.name}: the local cloud ignores {', '.join(sorted(unread))} of {args.typ}: "
                "pass it on in local/services/, or say in NOT_READ why not"
            )
        return made.id, {**inputs, **made.outputs}

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
