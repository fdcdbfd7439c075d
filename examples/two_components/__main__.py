"""A landing bucket and its intake queue in a program of your own, with a key and an alarm of your own.

Run it from this folder with ``pulumi up``, or copy it: the path below leads to the folder that holds ``components``.
"""

import sys
from pathlib import Path

import pulumi
import pulumi_aws as aws

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components.dead_letters import DeadLetterArgs
from components.encryption import Encryption, EncryptionArgs
from components.intake import Intake, IntakeArgs
from components.landing import Landing, LandingArgs

name = f"orders-{pulumi.get_stack()}"
provider = aws.Provider(
    "ireland", region="eu-west-1", default_tags=aws.ProviderDefaultTagsArgs(tags={"Team": "orders"})
)
ireland = pulumi.ResourceOptions(provider=provider)

key = Encryption(
    f"{name}-key", EncryptionArgs(description="What arrives from orders", alias=name, log_groups=[]), ireland
).key
landing = Landing(f"{name}-landing", LandingArgs(kms_key_arn=key.arn, upload_retention_days=30), ireland)
intake = Intake(
    f"{name}-intake",
    IntakeArgs(
        bucket_name=landing.bucket.id,
        bucket_arn=landing.bucket.arn,
        prefix="uploads/",
        kms_key_arn=key.arn,
        dead_letters=DeadLetterArgs(kms_key_arn=key.arn),
    ),
    ireland,
)
aws.cloudwatch.MetricAlarm(
    f"{name}-waiting",
    alarm_description="More than a thousand orders wait.",
    namespace="AWS/SQS",
    metric_name="ApproximateNumberOfMessagesVisible",
    dimensions={"QueueName": intake.queue.name},
    statistic="Maximum",
    period=300,
    evaluation_periods=3,
    threshold=1000,
    comparison_operator="GreaterThanThreshold",
    treat_missing_data="notBreaching",
    opts=ireland,
)
pulumi.export("queueUrl", intake.queue.url)
