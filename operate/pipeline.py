"""A standing stack as its operator reaches it: clients, and what its ingest function was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from operate.stack_outputs import OutputsError, StackOutputs
from shared.catalog.reader import CatalogReader
from shared.catalog.requests import RequestWriter
from shared.catalog.table import CatalogTable
from shared.catalog.writer import CatalogWriter
from shared.settings import CatalogSettings, read_settings

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
    def environment(self) -> Mapping[str, str]:
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
        return shown["Variables"]

    @property
    def region(self) -> str:
        """The region that the commands work in."""
        return self.dynamodb.meta.region_name

    @property
    def uploads_prefix(self) -> str:
        """What the key of every upload begins with."""
        return self.environment["UPLOADS_PREFIX"]

    @property
    def log_group(self) -> str:
        """Where the ingest function logs."""
        named = self._function.get("LoggingConfig", {}).get("LogGroup")
        return named or f"/aws/lambda/{self.outputs.ingest_function}"

    @cached_property
    def catalog(self) -> CatalogSettings:
        """The catalog's table, its indexes and their shards."""
        return read_settings(CatalogSettings, {"AWS_REGION": self.region, **self.environment})

    @cached_property
    def reader(self) -> CatalogReader:
        """The catalog, to read from."""
        return CatalogReader(self.dynamodb, self.catalog)

    @cached_property
    def writer(self) -> CatalogWriter:
        """The catalog's files, to write to."""
        return CatalogWriter(CatalogTable(self.dynamodb, self.catalog))

    @cached_property
    def requests(self) -> RequestWriter:
        """The catalog's requests, to write to."""
        return RequestWriter(CatalogTable(self.dynamodb, self.catalog))

    def caller(self) -> str:
        """Return who the operator is to AWS."""
        return boto3.client("sts", config=_CONFIG).get_caller_identity()["Arn"]

    @cached_property
    def _function(self) -> FunctionConfigurationResponseTypeDef:
        client = boto3.client("lambda", config=_CONFIG)
        return client.get_function_configuration(FunctionName=self.outputs.ingest_function)
