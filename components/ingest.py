"""The ingest function: takes messages from the intake queue and brings each file to its final status."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi

from components.catalog import Catalog
from components.file_rules import FileRulesArgs
from components.function import Function, FunctionArgs, RuntimeArgs
from components.intake import Intake
from components.landing import CHECKS_PREFIX, PROCESSED_PREFIX, REJECTED_PREFIX, UPLOADS_PREFIX, Landing
from components.packaging import Archive
from components.queues import feed_function

CHECK_TYPE = "check"
"""The record type of the files of `operate check`: a schema of the functions' own."""


@dataclass(frozen=True, kw_only=True)
class IngestArgs:
    """What the function works on, and what limits it.

    Parameters
    ----------
    runtime, code
        What it has in common with the pipeline's other functions, and its own code.
    landing, intake, catalog
        Where it reads files and publishes records, where its messages come from, and where it notes what became of
        them.
    files
        Which files are taken.
    timeout_seconds
        Its time-out. The intake's `consumer_timeout_seconds` should be the same.
    time_reserve_seconds
        Seconds of an invocation that are kept for publishing and the catalog.
    max_concurrency
        Invocations that run at once. Past the cap messages wait in the queue; throttled by the function, each would
        burn a receive.
    max_rejected_records
        Records of a file that may be rejected before the file itself is.
    record_bytes_per_second
        Speed of the record work that is counted on, in bytes a second after decompression. Times what the time-out
        leaves, it is the size of the largest record file.
    final_within_seconds
        Seconds from its upload to its final status after which a file is counted as late. 0: none is.
    """

    runtime: RuntimeArgs
    code: Archive
    landing: Landing
    intake: Intake
    catalog: Catalog
    files: FileRulesArgs
    timeout_seconds: int = 120
    time_reserve_seconds: int = 10
    max_concurrency: int = 10
    max_rejected_records: int = 200_000
    record_bytes_per_second: int = 10_000_000
    final_within_seconds: int = 300


class Ingest(pulumi.ComponentResource):
    """The function, and the event source mapping that feeds it.

    Attributes
    ----------
    function
        The function.
    """

    def __init__(self, name: str, args: IngestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pipeline:index:Ingest", name, None, opts)
        self.function = Function(
            name,
            FunctionArgs(
                purpose="ingest",
                runtime=args.runtime,
                code=args.code,
                timeout_seconds=args.timeout_seconds,
                environment=_environment(args),
                statements=[
                    *args.intake.grant_receive(),
                    *args.intake.grant_dead_letter(),
                    *args.landing.grant_read_uploads(),
                    *args.landing.grant_publish_results(),
                    *args.catalog.grant_write(),
                ],
                key_services=["dynamodb", "s3", "sqs"],
            ),
            pulumi.ResourceOptions(parent=self),
        )
        feed_function(name, args.intake.queue, self.function, max_concurrency=args.max_concurrency, parent=self)
        self.register_outputs({"functionName": self.function.name})


def _environment(args: IngestArgs) -> dict[str, pulumi.Input[str]]:
    # What can be done in one invocation: more would be started again and again, and never finished.
    working_seconds = args.timeout_seconds - 2 * args.time_reserve_seconds
    return {
        "BUCKET_NAME": args.landing.bucket.id,
        "UPLOADS_PREFIX": UPLOADS_PREFIX,
        "PROCESSED_PREFIX": PROCESSED_PREFIX,
        "REJECTED_PREFIX": REJECTED_PREFIX,
        "DEAD_LETTER_QUEUE_URL": args.intake.dead_letters.url,
        **args.catalog.environment,
        **args.files.environment,
        "CHECKS_PREFIX": CHECKS_PREFIX,
        "RECORD_TYPES": json.dumps([*args.files.record_types, f"{CHECKS_PREFIX}={CHECK_TYPE}"]),
        "FINAL_WITHIN_SECONDS": str(args.final_within_seconds),
        "TIME_RESERVE_SECONDS": str(args.time_reserve_seconds),
        "STORAGE_CLASS": args.landing.storage_class,
        "MAX_REJECTED_RECORDS": str(args.max_rejected_records),
        "RECORD_BYTES_PER_SECOND": str(args.record_bytes_per_second),
        "MAX_EXPANDED_BYTES": str(working_seconds * args.record_bytes_per_second),
    }
