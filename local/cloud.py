"""The emulator as its administrator sees it: a client for each service that the stack uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_apigatewayv2 import ApiGatewayV2Client
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cognito_idp import CognitoIdentityProviderClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_iam import IAMClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

    from local.emulator import Emulator

_CONFIG = Config(
    connect_timeout=5, read_timeout=30, max_pool_connections=20, s3={"addressing_style": "path"}, proxies={}
)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Clients of the administrator, to whom IAM does not apply.

    Parameters
    ----------
    region, account
        What the emulator plays.
    """

    region: str
    account: str
    apigateway: ApiGatewayV2Client
    cloudwatch: CloudWatchClient
    cognito: CognitoIdentityProviderClient
    dynamodb: DynamoDBClient
    dynamodbstreams: DynamoDBStreamsClient
    iam: IAMClient
    kms: KMSClient
    lambda_: LambdaClient
    logs: CloudWatchLogsClient
    s3: S3Client
    scheduler: EventBridgeSchedulerClient
    secretsmanager: SecretsManagerClient
    sns: SNSClient
    sqs: SQSClient

    @classmethod
    def of(cls, emulator: Emulator) -> Cloud:
        """Make the clients for a running emulator."""
        environment = emulator.environment()
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=emulator.region,
        )
        url, ca = emulator.endpoint, str(emulator.ca_bundle)
        sts = session.client("sts", endpoint_url=url, verify=ca, config=_CONFIG)
        return cls(
            region=emulator.region,
            account=sts.get_caller_identity()["Account"],
            apigateway=session.client("apigatewayv2", endpoint_url=url, verify=ca, config=_CONFIG),
            cloudwatch=session.client("cloudwatch", endpoint_url=url, verify=ca, config=_CONFIG),
            cognito=session.client("cognito-idp", endpoint_url=url, verify=ca, config=_CONFIG),
            dynamodb=session.client("dynamodb", endpoint_url=url, verify=ca, config=_CONFIG),
            dynamodbstreams=session.client("dynamodbstreams", endpoint_url=url, verify=ca, config=_CONFIG),
            iam=session.client("iam", endpoint_url=url, verify=ca, config=_CONFIG),
            kms=session.client("kms", endpoint_url=url, verify=ca, config=_CONFIG),
            lambda_=session.client("lambda", endpoint_url=url, verify=ca, config=_CONFIG),
            logs=session.client("logs", endpoint_url=url, verify=ca, config=_CONFIG),
            s3=session.client("s3", endpoint_url=url, verify=ca, config=_CONFIG),
            scheduler=session.client("scheduler", endpoint_url=url, verify=ca, config=_CONFIG),
            secretsmanager=session.client("secretsmanager", endpoint_url=url, verify=ca, config=_CONFIG),
            sns=session.client("sns", endpoint_url=url, verify=ca, config=_CONFIG),
            sqs=session.client("sqs", endpoint_url=url, verify=ca, config=_CONFIG),
        )

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the emulator's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
