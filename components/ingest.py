"""The ingest function: takes messages from the intake queue and brings each file to its final status."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.catalog import BUCKET_INDEX, STATUS_INDEX, Catalog
from components.encryption import Encryption
from components.function import Function
from components.intake import Intake
from components.landing import PROCESSED_PREFIX, REJECTED_PREFIX, UPLOADS_PREFIX, Landing
from components.packaging import Archive
from components.settings import StackSettings

BATCH_SIZE = 1
"""One message is one invocation's work: a file has the whole of its time, and one that fails takes no other with it."""


class Ingest(pulumi.ComponentResource):
    """The function, and the event source mapping that feeds it.

    Attributes
    ----------
    function
        The function.
    """

    def __init__(
        self,
        name: str,
        *,
        stack: StackSettings,
        account: Account,
        encryption: Encryption,
        landing: Landing,
        intake: Intake,
        catalog: Catalog,
        code: Archive,
        layer_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pipeline:index:Ingest", name, None, opts)
        settings = stack.settings
        ingest = Function(
            name,
            purpose="ingest",
            stack=stack,
            account=account,
            encryption=encryption,
            code=code,
            layer_arn=layer_arn,
            environment={
                "BUCKET_NAME": landing.bucket.id,
                "UPLOADS_PREFIX": UPLOADS_PREFIX,
                "PROCESSED_PREFIX": PROCESSED_PREFIX,
                "REJECTED_PREFIX": REJECTED_PREFIX,
                "DEAD_LETTER_QUEUE_URL": intake.dead_letters.url,
                "CATALOG_TABLE_NAME": catalog.table.name,
                "CATALOG_RETENTION_DAYS": str(settings.catalog_retention_days),
                "INDEX_SHARDS": str(settings.index_shards),
                "BUCKET_INDEX": BUCKET_INDEX,
                "STATUS_INDEX": STATUS_INDEX,
                "MAX_OBJECT_BYTES": str(settings.max_object_bytes),
                "ALLOWED_EXTENSIONS": json.dumps(settings.allowed_extensions),
                "REFUSED_PREFIXES": json.dumps(settings.refused_prefixes),
                "TIME_RESERVE_SECONDS": str(settings.time_reserve_seconds),
                "STORAGE_CLASS": settings.storage_class,
                "RECORD_TYPES": json.dumps(settings.record_types),
                "MAX_REJECTED_RECORDS": str(settings.max_rejected_records),
                "RECORD_BYTES_PER_SECOND": str(settings.record_bytes_per_second),
                # What can be done in one invocation: more would be started again and again, and never finished.
                "MAX_EXPANDED_BYTES": str(
                    (settings.function_timeout_seconds - 2 * settings.time_reserve_seconds)
                    * settings.record_bytes_per_second
                ),
            },
            statements=[
                intake.receive(),
                intake.refuse(),
                *landing.read_uploads(),
                landing.publish_results(),
                *catalog.write_items(),
            ],
            key_services=["dynamodb", "s3", "sqs"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.function = ingest.function
        aws.lambda_.EventSourceMapping(
            f"{name}-source",
            event_source_arn=intake.queue.arn,
            function_name=self.function.arn,
            batch_size=BATCH_SIZE,
            function_response_types=["ReportBatchItemFailures"],
            # Past the cap messages wait in the queue; throttled by the function, each would burn a receive.
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=settings.max_concurrency
            ),
            # Lambda checks that the role may receive before it makes the mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ingest.policy]),
        )
        self.register_outputs({"functionName": self.function.name})
