"""The stack's config as typed, checked values: the only reader of Pulumi's config."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from components.addresses import is_forbidden

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_Model = TypeVar("_Model", bound=BaseModel)

MAX_NAME_PREFIX = 40
"""Characters of ``project-stage``: an S3 bucket name holds 63, and the longest of ours adds a part and a suffix."""

VISIBILITY_PER_TIMEOUT = 6
"""Visibility of a message as a multiple of its consumer's time-out (Lambda, Using Lambda with Amazon SQS)."""

DAY_SECONDS = 86400

DELIVERY_AGE_MARGIN_SECONDS = 3600
"""How much older than the delivery function allows a record may get before the event source drops it."""

DELIVERY_PATIENCE_SHARE = 4
"""One part in this many of an invocation is spent on tries that fail."""

CONNECT_SECONDS = 3
"""How long the delivery function waits for a connection."""

MIN_CATALOG_RETENTION_DAYS = 30
"""A dead letter may be sent again after 14 days, and then be retried for days."""

LIFECYCLE_LAG_DAYS = 2
"""S3 counts days to the next midnight UTC, and deletes later (S3 User Guide, Lifecycle configuration elements)."""

MAX_LISTED_BYTES = 2500
"""All lists of settings in a function's environment variables, which have 4 KB together (Lambda quotas)."""

MEGABYTE = 1024**2

# What the API's function needs of its memory, measured by tests/lambda_src/api/test_memory.py in a process of its own,
# with the worst bodies that could be thought of, and rounded up: the runtime has its own share of a function's memory.
API_BASE_BYTES = 112 * MEGABYTE
"""Before a request, with its libraries and clients: 80 MB measured."""

API_BYTES_PER_BODY_BYTE = 12
"""For each byte of the body: 8 measured. A text with one emoji takes four bytes a character in Python, and stands in
memory twice while it is parsed; rejected records stand in it again, and in what is stored."""

API_BYTES_PER_RECORD = 1024
"""For each record's verdict in the answer: 650 measured."""

API_BYTES_PER_OBJECT_BYTE = 56
"""For each byte of the one record that is decoded: 52 measured. Lists in lists, where a schema has a field for them."""

API_MAX_RECORD_BYTES = MEGABYTE
"""The longest record that the functions take."""

LOCAL_STAGE = "local"
"""The stage that runs on one machine."""

_AWS = "aws"
# The provider in use, and Pulumi's own: tags of the stack, names, default providers.
_OTHER_NAMESPACES = (_AWS, "pulumi")
_STAGE = re.compile(r"[a-z][a-z0-9-]*")
# A host's name has labels of at most 63 letters, digits and hyphens (RFC 1123).
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*|::1")
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# China, GovCloud, the European Sovereign Cloud and the isolated regions (IAM User Guide, ARN format: partition).
_OTHER_PARTITIONS = ("cn-", "us-gov-", "eusc-", "us-iso", "eu-isoe-")
# CloudWatch Logs accepts these and no others (PutRetentionPolicy, retentionInDays).
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


_GONE = {
    "batchSize": "one message is one invocation's work, so that a file that fails or is slow takes no other with it; "
    "remove the setting",
}
"""Settings that one might expect, and why there are none."""


class SettingsError(pulumi.RunError):
    """One or more settings are wrong. The message names each key, its value and what is allowed."""


def _region(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", value):
        raise ValueError("should be a region such as eu-central-1")
    if value.startswith(_OTHER_PARTITIONS):
        raise ValueError("should be a region of AWS's commercial partition: others name their services otherwise")
    return value


def _endpoint(value: str) -> str:
    if not value:
        return value
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    plain = url.scheme == "http" and url.hostname in _LOOPBACK_HOSTS
    if (
        not (url.scheme == "https" or plain)
        or not url.hostname
        or not _HOST.fullmatch(url.hostname)
        or port == 0
        or "@" in url.netloc
        or url.fragment
        or not re.fullmatch(r"[!-~]+", value)
    ):
        raise ValueError(
            "should be empty or a URL such as https://receiver.example.com/files, without user, password or fragment"
        )
    return value


def _tag(value: str) -> str:
    if not re.fullmatch(r"[\w .:/=+@-]{1,256}", value):
        raise ValueError("should have 1 to 256 letters, digits, spaces or any of _.:/=+-@, as AWS tags do")
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ValueError("should be an e-mail address such as ops@example.com")
    return value


def _origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https://[a-z0-9.-]*\*?[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?", value):
        raise ValueError("should be * or an origin such as https://app.example.com, with no path")
    return value


def _api_origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?", value):
        raise ValueError("should be * or an origin such as https://app.example.com; an HTTP API knows no *.")
    return value


def _range(value: str) -> str:
    try:
        ipaddress.ip_network(value if "/" in value else "")
    except ValueError as error:
        raise ValueError("should be a range of addresses in CIDR notation, such as 203.0.113.0/24") from error
    return value


def _extension(value: str) -> str:
    if not re.fullmatch(r"(\.[a-z0-9]+)+", value):
        raise ValueError("should be a lower-case extension with its dot, such as .csv or .csv.gz")
    return value


def _folder(value: str) -> str:
    if not re.fullmatch(r"[^/].*/", value):
        raise ValueError("should be a key prefix that ends in a slash and does not start with one, such as temp/")
    return value


def _record_type(value: str) -> str:
    if not re.fullmatch(r"uploads/([^=]*/)?=[a-z][a-z0-9_]*", value):
        raise ValueError("should be a prefix under uploads/, =, and a schema, such as uploads/shipments/=shipment")
    return value


def _insights_arn(value: str) -> str:
    if value and not re.fullmatch(
        r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:layer:LambdaInsightsExtension-Arm64:\d+", value
    ):
        raise ValueError(
            "should be empty or the versioned ARN of the LambdaInsightsExtension-Arm64 layer in the region"
        )
    return value


class Settings(BaseModel):
    """Every setting of a stage. A field's alias is its key in ``Pulumi.<stage>.yaml``.

    Bounds are the services' own where they have one; the field's description says what the setting does.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    owner: Annotated[str, AfterValidator(_tag)] = Field("platform", description="Value of the Owner tag.")
    cost_center: Annotated[str, AfterValidator(_tag)] = Field("shared", description="Value of the CostCenter tag.")
    backup: bool = Field(default=False, description="Value of the Backup tag, for backup plans that select by it.")
    retain_data: bool = Field(
        default=True,
        description="Keep bucket, table and key when the stack is destroyed, and protect them from deletion. "
        "false: the stack can be destroyed with objects inside.",
    )
    key_deletion_days: int = Field(30, ge=7, le=30, description="Days between a KMS key's deletion and its end.")

    upload_retention_days: int = Field(90, ge=0, description="Days after which an uploaded object expires. 0: never.")
    processed_retention_days: int = Field(
        0, ge=0, description="Days after which published valid records expire. 0: never."
    )
    rejected_retention_days: int = Field(
        0,
        ge=0,
        description="Days after which published rejected records expire, which may hold personal data. "
        "0: when the uploads do.",
    )
    old_version_retention_days: int = Field(
        180, ge=0, description="Days after which an old object version expires. 0: never."
    )
    multipart_upload_days: int = Field(7, ge=1, description="Days after which an unfinished multipart upload ends.")
    intelligent_tiering: bool = Field(
        default=False, description="Store objects of 128 KB and more in S3 Intelligent-Tiering."
    )
    archive_after_days: int = Field(
        0,
        ge=0,
        le=730,
        description="Days without access before Intelligent-Tiering archives an object, which then cannot be read "
        "until it is restored. 0: never. From 90.",
    )
    deep_archive_after_days: int = Field(
        0,
        ge=0,
        le=730,
        description="Days without access before Intelligent-Tiering moves an object to the deep archive. "
        "0: never. From 180.",
    )
    event_bridge_notifications: bool = Field(
        default=False,
        description="Send the bucket's events to EventBridge too, for consumers of your own. Each event is billed.",
    )
    cors_origins: list[Annotated[str, AfterValidator(_origin)]] = Field(
        [], description="Origins that may upload from a browser. Empty: no CORS rule."
    )
    cors_max_age_seconds: int = Field(3000, ge=0, le=86400, description="Seconds a browser may cache a CORS answer.")
    access_log_retention_days: int = Field(365, ge=1, description="Days the bucket's access logs are kept.")

    max_receive_count: int = Field(
        5, ge=3, le=1000, description="Receives of a message before it moves to the dead-letter queue."
    )
    intake_retention_days: int = Field(
        4, ge=1, le=13, description="Days a message waits in the intake queue before SQS drops it."
    )
    dead_letter_retention_days: int = Field(
        14, ge=2, le=14, description="Days a message is kept in all, as a dead letter in the end."
    )
    dead_letter_visibility_seconds: int = Field(
        300, ge=0, le=43200, description="Seconds a dead letter that was received stays hidden."
    )
    max_concurrency: int = Field(
        10, ge=2, le=1000, description="Ingest functions that run at once, capped at the event source."
    )

    table_billing_mode: Literal["PAY_PER_REQUEST", "PROVISIONED"] = Field(
        "PAY_PER_REQUEST", description="How the catalog table is billed."
    )
    table_max_read_units: int = Field(
        0,
        ge=0,
        description="Most read units a second that the table on demand, and each of its indexes, may use. 0: no "
        "limit; to lift one that is deployed, raise it.",
    )
    table_max_write_units: int = Field(
        0,
        ge=0,
        description="Most write units a second that the table on demand, and each of its indexes, may use. 0: no "
        "limit; to lift one that is deployed, raise it.",
    )
    table_read_capacity: int = Field(5, ge=1, description="Read capacity units of the table, when provisioned.")
    table_write_capacity: int = Field(5, ge=1, description="Write capacity units of the table, when provisioned.")
    index_read_capacity: int = Field(2, ge=1, description="Read capacity units of each index, when provisioned.")
    index_write_capacity: int = Field(2, ge=1, description="Write capacity units of each index, when provisioned.")
    table_autoscaling: bool = Field(default=True, description="Scale provisioned capacity with the load.")
    autoscaling_min_capacity: int = Field(25, ge=1, description="Least capacity units that autoscaling sets.")
    autoscaling_max_capacity: int = Field(1000, ge=1, description="Most capacity units that autoscaling sets.")
    autoscaling_target_percent: int = Field(
        70, ge=20, le=90, description="Use of the capacity that autoscaling aims at, in percent."
    )
    index_shards: int = Field(
        8, ge=1, le=200, description="Partition keys that one bucket's or status's index entries are spread over."
    )
    catalog_retention_days: int = Field(
        365,
        ge=0,
        le=3650,
        description="Days after its last change after which a catalog item expires. 0: never. From 30: no message "
        "returns so late; and not before the bucket forgets the file.",
    )
    reconciliation_hours: int = Field(
        24,
        ge=0,
        le=168,
        description="Hours between two searches for uploads whose event never came. 0: no search.",
    )
    reconciliation_delay_seconds: int = Field(
        3600,
        ge=1,
        le=86_400,
        description="How much older than the intake's oldest message an upload must be to be searched for.",
    )

    function_memory_mb: int = Field(1024, ge=128, le=10240, description="Memory of a function, in MB.")
    function_timeout_seconds: int = Field(120, ge=3, le=900, description="Time-out of a function.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that the functions log."
    )
    log_retention_days: LogRetention = Field(365, description="Days the functions' logs are kept.")
    lambda_insights_layer_arn: Annotated[str, AfterValidator(_insights_arn)] = Field(
        "", description="ARN of the LambdaInsightsExtension layer (arm64) in the stack's region. Empty: no Insights."
    )
    layer_platform: Literal["lambda", "host"] = Field(
        "lambda", description="What the shared layer is built for: Lambda's arm64, or (local cloud) this machine."
    )

    max_object_bytes: int = Field(
        1024**3, ge=1, le=5 * 1024**4, description="Size above which an object is skipped, in bytes."
    )
    allowed_extensions: list[Annotated[str, AfterValidator(_extension)]] = Field(
        [
            *(".jpg", ".jpeg", ".png", ".pdf", ".txt", ".xml", ".csv", ".json", ".ndjson", ".jsonl"),
            *(".csv.gz", ".json.gz", ".ndjson.gz", ".jsonl.gz"),
        ],
        min_length=1,
        max_length=64,
        description="Extensions that are taken in; a name without one always is.",
    )
    refused_prefixes: list[Annotated[str, AfterValidator(_folder)]] = Field(
        ["temp/", "tmp/", ".aws/", ".git/"],
        max_length=32,
        description="Folders, at the top of the bucket or of uploads/, whose objects are skipped.",
    )
    time_reserve_seconds: int = Field(
        10, ge=1, description="Time that must be left in an invocation for one more message to be started."
    )

    record_types: list[Annotated[str, AfterValidator(_record_type)]] = Field(
        ["uploads/shipments/=shipment"],
        description="Which files hold records: a key prefix, =, and the name of a file in "
        "lambda_src/shared/records/schemas. The longest prefix that fits a key counts.",
    )
    max_rejected_records: int = Field(
        200_000, ge=1, description="Records of a file that may be rejected before the file itself is: each takes time."
    )
    record_bytes_per_second: int = Field(
        10_000_000,
        ge=1_000_000,
        description="Speed of the record work that is counted on, in bytes a second after decompression. Times the "
        "time-out, it is the size of the largest record file.",
    )

    api_throttle_rate: int = Field(100, ge=1, le=10_000, description="Requests a second that the API takes.")
    api_throttle_burst: int = Field(200, ge=1, le=5_000, description="Requests at once that the API takes.")
    api_open_throttle_rate: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Requests a second that each route takes that asks for no token, such as /health.",
    )
    api_open_throttle_burst: int = Field(
        10, ge=1, le=5_000, description="Requests at once that each route without a token takes."
    )
    api_reserved_concurrency: int = Field(
        0,
        ge=0,
        description="Reserved concurrency of the API's function: executions that no other function of the account can "
        "use, and the most that it can. 0: none is reserved.",
    )
    api_timeout_seconds: int = Field(
        29, ge=3, le=29, description="Time-out of the API's function; an HTTP API waits 30 s at most."
    )
    api_max_body_bytes: int = Field(
        4 * 1024**2,
        ge=1024,
        le=5 * 1024**2,
        description="Largest body that the API takes, in bytes. Escaped as a JSON text it must fit into Lambda's 6 MB, "
        "and what it needs into functionMemoryMb.",
    )
    api_max_records: int = Field(10_000, ge=1, le=20_000, description="Most records that one request may hold.")
    api_latency_alarm_ms: int = Field(
        5_000, ge=100, le=30_000, description="Latency of the API (p99) above which an alarm is raised, in ms."
    )
    api_cors_origins: list[Annotated[str, AfterValidator(_api_origin)]] = Field(
        [], description="Origins that may call the API from a browser. Empty: no CORS."
    )
    api_cors_max_age_seconds: int = Field(
        3600, ge=0, le=86400, description="Seconds a browser may cache the API's CORS answer."
    )
    upload_link_seconds: int = Field(
        900, ge=60, le=3600, description="Seconds that a link to upload with, or to rejected records, works."
    )

    password_min_length: int = Field(12, ge=8, le=99, description="Minimum password length, in characters.")
    self_signup: bool = Field(default=False, description="Let people make their own users; they are in no group.")
    temporary_password_days: int = Field(
        3, ge=1, le=365, description="Days within which a user must replace a temporary password."
    )
    token_minutes: int = Field(60, ge=5, le=1440, description="Minutes that an access token or an ID token is valid.")
    refresh_token_days: int = Field(
        30, ge=1, le=3650, description="Days that a refresh token is valid: then a user signs in again."
    )
    threat_protection: Literal["off", "audit", "enforced"] = Field(
        "audit",
        description="Cognito's threat protection: audit assesses each sign-in and blocks none, enforced blocks those "
        "that it takes for an attack. Both need the Plus plan, billed by user.",
    )
    threat_protection_skipped_ranges: list[Annotated[str, AfterValidator(_range)]] = Field(
        [],
        max_length=200,
        description="Addresses, in CIDR notation, whose sign-ins threat protection does not look at: those of programs "
        "that sign in again and again.",
    )
    test_user: bool = Field(
        default=False, description="Make a user for tests, in the group of writers, with a generated password."
    )

    delivery_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        "", description="HTTPS URL that every finished file is posted to. Empty: no delivery, no function."
    )
    delivery_timeout_seconds: int = Field(
        10, ge=1, le=60, description="Seconds that the endpoint may take to answer one delivery."
    )
    delivery_max_age_seconds: int = Field(
        21_600,
        ge=60,
        # The stream keeps its records for a day (DynamoDB Developer Guide, Change data capture).
        le=DAY_SECONDS - DELIVERY_AGE_MARGIN_SECONDS,
        description="Age from which a delivery that fails is put aside as a dead letter.",
    )
    delivery_max_retries: int = Field(
        2000, ge=1, le=10_000, description="Times that a batch of deliveries is tried again at most."
    )
    delivery_batch_size: int = Field(25, ge=1, le=1000, description="Deliveries that one invocation takes at most.")
    delivery_parallelization: int = Field(
        5, ge=1, le=10, description="Delivery functions that run at once for each shard of the table's stream."
    )
    delivery_alarm_seconds: int = Field(
        900, ge=60, description="Age of a delivery from which the alarm for late ones is raised."
    )

    alert_emails: list[Annotated[str, AfterValidator(_email)]] = Field(
        [], description="Addresses that the alarms are sent to; each must confirm its subscription."
    )
    failed_alarm_percent: int = Field(
        5, ge=0, le=99, description="Share of the files of five minutes above which failed ones raise an alarm."
    )
    rejected_alarm_percent: int = Field(
        20,
        ge=0,
        le=100,
        description="Share of an hour's files above which rejected ones raise an alarm. 100: no alarm.",
    )
    silence_alarm_hours: int = Field(
        0, ge=0, le=168, description="Hours without a new file after which an alarm is raised. 0: no alarm."
    )

    @model_validator(mode="after")
    def _check_across_fields(self) -> Settings:
        if self.time_reserve_seconds >= self.function_timeout_seconds:
            raise ValueError(
                f"timeReserveSeconds = {self.time_reserve_seconds}: should be less than functionTimeoutSeconds "
                f"({self.function_timeout_seconds}), or no message is ever started"
            )
        if self.dead_letter_retention_days <= self.intake_retention_days:
            raise ValueError(
                f"deadLetterRetentionDays = {self.dead_letter_retention_days}: should be more than intakeRetentionDays "
                f"({self.intake_retention_days}): it counts from when the message entered the intake queue"
            )
        if self.retry_seconds > self.intake_retention_days * DAY_SECONDS / 2:
            raise ValueError(
                f"maxReceiveCount = {self.max_receive_count}: with {self.visibility_seconds} s of visibility, the last "
                f"receive comes after {self.retry_seconds} s; should be within half of intakeRetentionDays "
                f"({self.intake_retention_days}), or messages are dropped before they are dead letters"
            )
        if self.autoscaling_min_capacity > self.autoscaling_max_capacity:
            raise ValueError(
                f"autoscalingMinCapacity = {self.autoscaling_min_capacity}: should be at most "
                f"autoscalingMaxCapacity ({self.autoscaling_max_capacity})"
            )
        if (self.table_max_read_units or self.table_max_write_units) and self.table_billing_mode == "PROVISIONED":
            raise ValueError(
                "tableMaxReadUnits, tableMaxWriteUnits: are for tableBillingMode PAY_PER_REQUEST; "
                "autoscalingMaxCapacity limits a provisioned table"
            )
        self._check_archive()
        self._check_retention()
        if self.api_memory_mb > self.function_memory_mb:
            raise ValueError(
                f"functionMemoryMb = {self.function_memory_mb}: should be at least {self.api_memory_mb} for requests "
                f"to the API: raise it, or lower apiMaxBodyBytes ({self.api_max_body_bytes}) or apiMaxRecords "
                f"({self.api_max_records})"
            )
        if self.delivery_endpoint:
            self._check_delivery()
        twice = {address for address in self.alert_emails if self.alert_emails.count(address) > 1}
        if twice:
            raise ValueError(f"alertEmails: {min(twice)!r} is given twice")
        lists = (self.allowed_extensions, self.refused_prefixes, self.record_types)
        listed = sum(len(json.dumps(entries)) for entries in lists)
        if listed > MAX_LISTED_BYTES:
            raise ValueError(
                f"allowedExtensions, refusedPrefixes and recordTypes: have {listed} bytes together; should have "
                f"{MAX_LISTED_BYTES} bytes at most: functions get them as environment variables, which Lambda limits"
            )
        self._check_access()
        return self

    def _check_archive(self) -> None:
        tiers = (
            ("archiveAfterDays", self.archive_after_days, 90),
            ("deepArchiveAfterDays", self.deep_archive_after_days, 180),
        )
        for name, days, least in tiers:
            if 0 < days < least:
                raise ValueError(f"{name} = {days}: should be 0, or {least} to 730")
            if days and not self.intelligent_tiering:
                raise ValueError(f"{name} = {days}: needs intelligentTiering; set it, or {name} to 0")
        if 0 < self.deep_archive_after_days <= self.archive_after_days:
            raise ValueError(
                f"archiveAfterDays = {self.archive_after_days}: should be less than "
                f"deepArchiveAfterDays ({self.deep_archive_after_days})"
            )

    def _check_retention(self) -> None:
        kept = self.catalog_retention_days
        if not kept:
            return
        if kept < MIN_CATALOG_RETENTION_DAYS:
            raise ValueError(f"catalogRetentionDays = {kept}: should be 0, or {MIN_CATALOG_RETENTION_DAYS} to 3650")
        for name, days in (
            ("uploadRetentionDays", self.upload_retention_days),
            ("rejectedRetentionDays", self.rejected_days),
        ):
            # What expires becomes an old version first.
            in_bucket = days + self.old_version_retention_days + LIFECYCLE_LAG_DAYS
            if not days or not self.old_version_retention_days:
                raise ValueError(
                    f"catalogRetentionDays = {kept}: should be 0 (never), since {name} ({days}) or "
                    f"oldVersionRetentionDays ({self.old_version_retention_days}) keeps versions for ever, and the "
                    "catalog should not forget a file before the bucket does"
                )
            if kept < in_bucket:
                raise ValueError(
                    f"catalogRetentionDays = {kept}: should be 0 (never) or at least {in_bucket}: {name} ({days}), "
                    f"then oldVersionRetentionDays ({self.old_version_retention_days}) and {LIFECYCLE_LAG_DAYS} days "
                    "until S3 deletes, or the catalog forgets a file before the bucket does"
                )

    @property
    def rejected_days(self) -> int:
        """Days after which rejected records expire; 0: never."""
        return self.rejected_retention_days or self.upload_retention_days

    @property
    def storage_class(self) -> str:
        """The storage class of results, and of uploads through our form."""
        return "INTELLIGENT_TIERING" if self.intelligent_tiering else "STANDARD"

    def _check_access(self) -> None:
        for name, origins in (("corsOrigins", self.cors_origins), ("apiCorsOrigins", self.api_cors_origins)):
            if "*" in origins and len(origins) > 1:
                raise ValueError(f"{name} = {origins}: * already allows every origin; give it alone")
        if self.test_user and self.retain_data:
            raise ValueError("testUser = true: only in a stage that keeps no data (retainData = false)")

    def _check_delivery(self) -> None:
        needed = CONNECT_SECONDS + self.delivery_timeout_seconds + self.time_reserve_seconds
        if needed >= self.function_timeout_seconds:
            raise ValueError(
                f"deliveryTimeoutSeconds = {self.delivery_timeout_seconds}: with {CONNECT_SECONDS} s to connect and "
                f"timeReserveSeconds ({self.time_reserve_seconds}), should be less than functionTimeoutSeconds "
                f"({self.function_timeout_seconds}), or nothing is ever sent"
            )
        retried = self.delivery_max_retries * self.delivery_patience_seconds
        if retried < self.delivery_max_age_seconds:
            raise ValueError(
                f"deliveryMaxRetries = {self.delivery_max_retries}: at {self.delivery_patience_seconds} s each, they "
                f"may be over after {retried} s; should last for deliveryMaxAgeSeconds "
                f"({self.delivery_max_age_seconds}), or deliveries are dropped before they are dead letters"
            )
        if self.delivery_alarm_seconds >= self.delivery_max_age_seconds:
            raise ValueError(
                f"deliveryAlarmSeconds = {self.delivery_alarm_seconds}: should be less than deliveryMaxAgeSeconds "
                f"({self.delivery_max_age_seconds}), or the alarm comes after the dead letters"
            )

    @property
    def api_memory_mb(self) -> int:
        """Memory that a request may need, in MB."""
        needed = (
            API_BASE_BYTES
            + API_BYTES_PER_BODY_BYTE * self.api_max_body_bytes
            + API_BYTES_PER_RECORD * self.api_max_records
            + API_BYTES_PER_OBJECT_BYTE * min(self.api_max_body_bytes, API_MAX_RECORD_BYTES)
        )
        return math.ceil(needed / MEGABYTE)

    @property
    def delivery_patience_seconds(self) -> int:
        """How long an invocation that delivers nothing tries before it hands back."""
        return max(1, self.function_timeout_seconds // DELIVERY_PATIENCE_SHARE)

    @property
    def visibility_seconds(self) -> int:
        """How long a received message stays hidden, derived from the time-out of the function that receives it."""
        return VISIBILITY_PER_TIMEOUT * self.function_timeout_seconds

    @property
    def retry_seconds(self) -> int:
        """How long a message that always fails is retried before it is a dead letter."""
        return self.max_receive_count * self.visibility_seconds


class AwsSettings(BaseModel):
    """The ``aws:`` keys of a stage that the stack's provider takes over.

    The program declares its own provider, which reads no config, so a key that is not listed here would
    silently do nothing: it is refused instead.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    region: Annotated[str, AfterValidator(_region)] = Field(description="Region of the stack.")
    profile: str | None = Field(None, description="Profile of the shared credentials file.")
    # `pulumi config set --path` writes an id as a number, unless it begins with a zero.
    allowed_account_ids: list[Annotated[str, Field(pattern=r"^\d{12}$", coerce_numbers_to_str=True)]] | None = Field(
        None, description="Accounts that the stack may be deployed to."
    )
    access_key: str | None = Field(None, description="Access key of the local cloud.")
    secret_key: str | None = Field(None, description="Secret key of the local cloud.")
    endpoints: list[dict[str, str]] | None = Field(None, description="Endpoint of each service, for the local cloud.")
    insecure: bool | None = Field(None, description="Take the local cloud's self-signed certificate.")
    s3_use_path_style: bool | None = Field(None, description="Address buckets by path, as the local cloud does.")
    skip_credentials_validation: bool | None = Field(None, description="Do not ask STS who we are.")
    skip_metadata_api_check: bool | None = Field(None, description="Do not ask the instance for credentials.")

    @model_validator(mode="after")
    def _check_loopback(self) -> AwsSettings:
        hosts = {urlsplit(url).hostname for service in self.endpoints or [] for url in service.values()}
        local = bool(hosts) and hosts <= _LOOPBACK_HOSTS
        for key, value in (("insecure", self.insecure), ("accessKey", self.access_key), ("secretKey", self.secret_key)):
            if value and not local:
                raise ValueError(f"{key}: only with endpoints that are all on this machine; elsewhere use a profile")
        return self


class StackSettings(BaseModel):
    """Everything the program is told: which stack it is, its settings, and its provider's."""

    model_config = ConfigDict(frozen=True)

    project: str
    stage: str
    settings: Settings
    aws: AwsSettings

    @property
    def prefix(self) -> str:
        """``project-stage``: what every name of the stack starts with."""
        return f"{self.project}-{self.stage}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every taggable resource carries."""
        return {
            "Environment": self.stage,
            "Project": self.project,
            "ManagedBy": "Pulumi",
            "Owner": self.settings.owner,
            "CostCenter": self.settings.cost_center,
            "Backup": str(self.settings.backup).lower(),
        }


def load() -> StackSettings:
    """Read and check the config of the current stack.

    Returns
    -------
    StackSettings
        The checked settings, frozen.

    Raises
    ------
    SettingsError
        If a key is unknown, a value is of the wrong type or out of bounds, or two values contradict each
        other. All problems are named at once.
    """
    project, stage = pulumi.get_project(), pulumi.get_stack()
    problems: list[str] = []
    prefix = f"{project}-{stage}"
    if not _STAGE.fullmatch(stage) or not _STAGE.fullmatch(project):
        problems.append(f"project {project!r}, stack {stage!r}: should be lower-case letters, digits and hyphens")
    if len(prefix) > MAX_NAME_PREFIX:
        problems.append(
            f"{prefix!r} ({len(prefix)} characters): project and stack should have {MAX_NAME_PREFIX} at most"
        )
    problems += _foreign_keys(project, stage)
    settings = _parse(Settings, project, problems)
    aws = _parse(AwsSettings, _AWS, problems)
    if settings and stage != LOCAL_STAGE and is_forbidden(urlsplit(settings.delivery_endpoint).hostname or ""):
        problems.append(
            f"{project}:deliveryEndpoint = {settings.delivery_endpoint!r}: should be https://… and a host that the "
            "function reaches over the network, not an address of its own machine or link (loopback, link-local, "
            f"multicast); only the stage {LOCAL_STAGE!r} delivers to this machine"
        )
    if problems or settings is None or aws is None:
        raise SettingsError("wrong settings of stack " + repr(stage) + ":\n" + "\n".join(f"  {p}" for p in problems))
    return StackSettings(project=project, stage=stage, settings=settings, aws=aws)


def _parse(model: type[_Model], namespace: str, problems: list[str]) -> _Model | None:
    """Build `model` from the keys of `namespace`, or append what is wrong with them."""
    read = _read(namespace)
    hidden = [key for key in read if namespace != _AWS and runtime_config.is_config_secret(f"{namespace}:{key}")]
    if hidden:
        why = "would stand in clear in the stack's state; no setting is a secret, set it without --secret"
        problems += [f"{namespace}:{key}: {why}" for key in hidden]
        return None
    values = {key: _decode(model, key, value) for key, value in read.items()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems += [_explain(namespace, detail) for detail in error.errors()]
        return None


def _foreign_keys(project: str, stage: str) -> Iterator[str]:
    """Say which keys nobody would read: after the project was renamed, all of its settings."""
    namespaces = {key.partition(":")[0] for key in _handed_over()} - {project, *_OTHER_NAMESPACES}
    for namespace in sorted(namespaces):
        keys = ", ".join(sorted(_read(namespace)))
        yield (
            f"{namespace}: ({keys}): is not read by this program, whose settings begin with {project}:, the project's "
            f"name in Pulumi.yaml. If the project was renamed, replace {namespace}: by {project}: in "
            f"Pulumi.{stage}.yaml; otherwise take the keys out"
        )


def _handed_over() -> dict[str, str]:
    """All that the stack's files set, the project's defaults included, as Pulumi hands it over."""
    return {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}


def _read(namespace: str) -> dict[str, str]:
    prefix = f"{namespace}:"
    return {key.removeprefix(prefix): str(value) for key, value in _handed_over().items() if key.startswith(prefix)}


def _decode(model: type[BaseModel], key: str, value: str) -> object:
    """Pulumi hands everything over as text: what is not text in the model is JSON."""
    field = next((field for field in model.model_fields.values() if field.alias == key), None)
    if field is None or isinstance(field.default, str) or field.annotation in {str, str | None}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _explain(namespace: str, detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not detail["loc"]:  # a rule across fields names its keys itself
        return f"{namespace}:{message}"
    key = f"{namespace}:{detail['loc'][0]}" + "".join(f"[{part}]" for part in detail["loc"][1:])
    if detail["type"] == "missing":
        return f"{key}: is required"
    unknown = detail["type"] == "extra_forbidden"
    # A key of the provider that this program does not know may be a credential, which stays out of logs.
    hidden = namespace == _AWS and (unknown or runtime_config.is_config_secret(key))
    given = key if hidden else f"{key} = {detail['input']!r}"
    if unknown:
        why = _GONE.get(str(detail["loc"][0]), "is not a setting of this program; docs/configuration.md lists them all")
        return f"{given}: {why}"
    return f"{given}: {message}"
