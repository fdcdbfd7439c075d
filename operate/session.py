"""A deployed stack as its operator reaches it: outputs, clients, the catalog, and the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cyclopts import Parameter
from msgspec.structs import replace

from operate.console import Console
from operate.stack_outputs import OutputsError, StackOutputs
from shared.catalog.reader import CatalogReader
from shared.catalog.requests import RequestWriter
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from shared.settings import CatalogSettings, WrongEnvironmentError, read_settings

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_cognito_idp import CognitoIdentityProviderClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import AliasConfigurationResponseTypeDef, FunctionConfigurationResponseTypeDef
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

# A person waits: longer than a function would, and through more throttling.
_CONFIG: Final = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 6})

_START_SECONDS: Final = 30
"""More than Lambda gives a function to start (Lambda Developer Guide, Init phase: 10 seconds)."""

LIVE: Final = "live"
"""The alias that the stack calls its functions by: of the version behind it, the environment is in force."""


class FaultError(Exception):
    """A part of the stack is not as it should be. The message says how it is, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A deployed stack, and the console of its operator.

    Parameters
    ----------
    outputs
        The stack's outputs.
    console
        Where commands print.
    """

    outputs: StackOutputs
    console: Console

    @property
    def region(self) -> str:
        """The stack's region, whatever region the operator's own shell is set to."""
        return self.outputs.region

    def announce_change(self) -> None:
        """Say which stack is about to be changed, on standard error: a script's JSON stays JSON."""
        outputs = self.outputs
        self.console.error(
            f"Changing the stack with the bucket {outputs.bucket}, in account {outputs.account}, {outputs.region}."
        )

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client of the catalog."""
        return boto3.client("dynamodb", region_name=self.region, config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        """Client of the bucket."""
        return boto3.client("s3", region_name=self.region, config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """Client of the queues."""
        return boto3.client("sqs", region_name=self.region, config=_CONFIG)

    @cached_property
    def lambda_(self) -> LambdaClient:
        """Client of the functions."""
        return boto3.client("lambda", region_name=self.region, config=_CONFIG)

    def invoker(self, timeout: int) -> LambdaClient:
        """Return a client that waits for a function of this timeout, in seconds, and for its start before it."""
        config = _CONFIG.merge(Config(read_timeout=timeout + _START_SECONDS))
        return boto3.client("lambda", region_name=self.region, config=config)

    @cached_property
    def codedeploy(self) -> CodeDeployClient:
        """Client of the deployments that shift the functions' alias."""
        return boto3.client("codedeploy", region_name=self.region, config=_CONFIG)

    def live_alias(self, function_name: str) -> AliasConfigurationResponseTypeDef:
        """Return the alias that a function is called by.

        Raises
        ------
        FaultError
            If it is not there.
        """
        with self._alias_needed(function_name):
            return self.lambda_.get_alias(FunctionName=function_name, Name=LIVE)

    def configuration(self, function_name: str) -> FunctionConfigurationResponseTypeDef:
        """Return the configuration that a function is called with.

        Raises
        ------
        FaultError
            If the alias that it is called by is not there.
        """
        with self._alias_needed(function_name):
            return self.lambda_.get_function_configuration(FunctionName=function_name, Qualifier=LIVE)

    def alias_gone(self, function_name: str) -> FaultError:
        """Return what is said where a function has no alias to be called by."""
        purpose = self.outputs.purpose(function_name)
        return FaultError(f"alias {LIVE} of {purpose} is gone: `{self.outputs.refresh}` puts it back")

    def environment_of(self, function_name: str) -> Mapping[str, str]:
        """Return the environment variables that a function is called with.

        Raises
        ------
        FaultError
            If it has none.
        OutputsError
            If Lambda does not show them: they are encrypted with the stack's key.
        """
        shown = self.configuration(function_name).get("Environment", {})
        if "Error" in shown:
            raise OutputsError(
                f"the environment of {function_name} cannot be read: {shown['Error'].get('Message')}; "
                "the operator needs kms:Decrypt on the stack's key"
            )
        if not shown.get("Variables"):
            raise self._broken(function_name, "has no environment variables")
        return shown["Variables"]

    def variable(self, function_name: str, name: str) -> str:
        """Return one of the environment variables that a function is called with.

        Raises
        ------
        FaultError
            If it has no such one.
        """
        is_ingest = function_name == self.outputs.ingest_function
        found = (self.environment if is_ingest else self.environment_of(function_name)).get(name)
        if found is None:
            raise self._broken(function_name, f"has no environment variable {name}")
        return found

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Client of the secret."""
        return boto3.client("secretsmanager", region_name=self.region, config=_CONFIG)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Client of the alarms."""
        return boto3.client("cloudwatch", region_name=self.region, config=_CONFIG)

    @cached_property
    def kms(self) -> KMSClient:
        """Client of the key."""
        return boto3.client("kms", region_name=self.region, config=_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Client of the functions' logs."""
        return boto3.client("logs", region_name=self.region, config=_CONFIG)

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """Client of the schedules."""
        return boto3.client("scheduler", region_name=self.region, config=_CONFIG)

    @cached_property
    def sns(self) -> SNSClient:
        """Client of the alert topic."""
        return boto3.client("sns", region_name=self.region, config=_CONFIG)

    @cached_property
    def cognito(self) -> CognitoIdentityProviderClient:
        """Client of the user pool."""
        return boto3.client("cognito-idp", region_name=self.region, config=_CONFIG)

    @cached_property
    def service_quotas(self) -> ServiceQuotasClient:
        """Client of the account's quotas."""
        return boto3.client("service-quotas", region_name=self.region, config=_CONFIG)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The ingest function's environment: the catalog is read as it is written."""
        return self.environment_of(self.outputs.ingest_function)

    @property
    def uploads_prefix(self) -> str:
        """What the key of every upload begins with."""
        return self.variable(self.outputs.ingest_function, "UPLOADS_PREFIX")

    @property
    def log_group(self) -> str:
        """Where the ingest function logs."""
        named = self.configuration(self.outputs.ingest_function).get("LoggingConfig", {}).get("LogGroup")
        return named or f"/aws/lambda/{self.outputs.ingest_function}"

    @cached_property
    def catalog(self) -> CatalogSettings:
        """The catalog's table, its indexes and their shards.

        Raises
        ------
        FaultError
            If the ingest function is called with an environment that does not say it.
        """
        try:
            return read_settings(CatalogSettings, {"AWS_REGION": self.region, **self.environment})
        except WrongEnvironmentError as error:
            raise self._broken(self.outputs.ingest_function, f"cannot work: {error},") from error

    def reader(self, shards: int | None = None) -> CatalogReader:
        """Return the catalog, to read from; with other shards than the function writes to, if there once were more."""
        settings = replace(self.catalog, index_shards=shards) if shards else self.catalog
        return CatalogReader(self.dynamodb, settings)

    @property
    def files(self) -> CatalogWriter:
        """The catalog's files, to write to."""
        return CatalogWriter(CatalogTable(self.dynamodb, self.catalog))

    @property
    def requests(self) -> RequestWriter:
        """The catalog's requests, to write to."""
        return RequestWriter(CatalogTable(self.dynamodb, self.catalog))

    def caller(self) -> str:
        """Return who the operator is to AWS."""
        return boto3.client("sts", region_name=self.region, config=_CONFIG).get_caller_identity()["Arn"]

    @contextmanager
    def _alias_needed(self, function_name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise self.alias_gone(function_name) from error

    def _broken(self, function_name: str, how: str) -> FaultError:
        purpose = self.outputs.purpose(function_name)
        return FaultError(
            f"{function_name} {how} in the version that {LIVE} names: `rollback {purpose}` goes back to the one before"
        )


CurrentSession: TypeAlias = Annotated[Session, Parameter(parse=False)]
"""A command's argument that ``operate/__main__.py`` fills: it is no option."""
