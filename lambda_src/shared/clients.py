"""AWS clients with time-outs that fit a function, made once and shared."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import boto3
import botocore
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

OLDEST_SDK: Final = (1, 35, 16)
"""The first botocore with all that is used here: ``ExpiresString``, and ``IfNoneMatch`` of PutObject. Of 2024-09-10.

The runtime brings the SDK, and AWS does not say which; python3.13 came on 2024-11-13. The tests run the functions with
the oldest one.
"""


class SdkTooOldError(RuntimeError):
    """The SDK that the runtime brings lacks what is used here. The message says which it is."""


if tuple(int(part) for part in botocore.__version__.split(".")[:3]) < OLDEST_SDK:
    raise SdkTooOldError(
        f"botocore {botocore.__version__} is older than {'.'.join(map(str, OLDEST_SDK))}: let Lambda update the runtime"
    )

# "standard" backs off on throttling, 5xx and time-outs; what still fails goes back to the queue. A service that never
# answers costs a call 3 times 2 s and at most 3 s of backing off: less than the 10 s that the stages keep in reserve.
_COMPLETION_SECONDS = 60
_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def s3() -> S3Client:
    """Return the S3 client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def s3_completion() -> S3Client:
    """Return the S3 client that completes multipart uploads; made for the first result of more than one part.

    S3 may take minutes for it, and sends white space meanwhile (CompleteMultipartUpload, API reference).
    """
    return boto3.client("s3", config=_CONFIG.merge(Config(read_timeout=_COMPLETION_SECONDS)))


@cache
def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def sqs() -> SQSClient:
    """Return the SQS client."""
    return boto3.client("sqs", config=_CONFIG)


@cache
def cloudwatch() -> CloudWatchClient:
    """Return the CloudWatch client."""
    return boto3.client("cloudwatch", config=_CONFIG)


@cache
def presigner() -> S3Client:
    """Return the S3 client to sign links with.

    Objects under a KMS key are shown to signatures of version 4 only. Left to itself, the SDK signs for the global
    endpoint, which redirects to the bucket's region, and a signature holds for one host; an endpoint of one's own,
    such as the local cloud's, has no host for each bucket.
    """
    style: Literal["path", "virtual"] = "path" if "AWS_ENDPOINT_URL" in os.environ else "virtual"
    return boto3.client("s3", config=_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": style})))


@cache
def secretsmanager() -> SecretsManagerClient:
    """Return the Secrets Manager client; made when the secret is first read."""
    return boto3.client("secretsmanager", config=_CONFIG)
