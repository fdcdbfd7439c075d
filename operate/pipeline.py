"""A standing stack as its operator reaches it: clients, and what its ingest function was told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from operate.stack_outputs import OutputsError, StackOutputs
from shared.catalog import Catalog
from shared.environment import Environment

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

# A person waits: longer than a function would, and through more throttling.
_CONFIG: Final = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 6})


@dataclass(frozen=True)
class Pipeline:
    """A standing stack.

    Parameters
    ----------
    outputs
        Its outputs.
    """

    outputs: StackOutputs

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client of the catalog."""
        return boto3.client("dynamodb", config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        """Client of the bucket."""
        return boto3.client("s3", config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """Client of the queues."""
        return boto3.client("sqs", config=_CONFIG)

    @cached_property
    def environment(self) -> Environment:
        """The ingest function's environment: the catalog is read as it is written.

        Raises
        ------
        OutputsError
            If Lambda does not show it: it is encrypted with the stack's key.
        """
        shown = self._function.get("Environment", {})
        if "Variables" not in shown:
            reason = shown.get("Error", {}).get("Message", "it has none")
            raise OutputsError(
                f"the environment of {self.outputs.ingest_function} cannot be read: {reason}; "
                "the operator needs kms:Decrypt on the stack's key"
            )
        return Environment(shown["Variables"])

    @property
    def region(self) -> str:
        """The region that the commands work in."""
        return self.dynamodb.meta.region_name

    @property
    def shards(self) -> int:
        """Partition keys that one bucket's or status's index entries are spread over."""
        return self.environment.integer("INDEX_SHARDS")

    @property
    def uploads_prefix(self) -> str:
        """What the key of every upload begins with."""
        return self.environment.text("UPLOADS_PREFIX")

    @property
    def log_group(self) -> str:
        """Where the ingest function logs."""
        named = self._function.get("LoggingConfig", {}).get("LogGroup")
        return named or f"/aws/lambda/{self.outputs.ingest_function}"

    @property
    def catalog(self) -> Catalog:
        """The catalog, to write to."""
        return Catalog(
            self.dynamodb,
            self.outputs.table,
            shards=self.shards,
            retention=self.environment.retention("CATALOG_RETENTION_DAYS"),
            stage=self.environment.text("STAGE"),
            region=self.region,
        )

    def caller(self) -> str:
        """Return who the operator is to AWS."""
        return boto3.client("sts", config=_CONFIG).get_caller_identity()["Arn"]

    @cached_property
    def _function(self) -> FunctionConfigurationResponseTypeDef:
        client = boto3.client("lambda", config=_CONFIG)
        return client.get_function_configuration(FunctionName=self.outputs.ingest_function)
