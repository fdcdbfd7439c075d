"""What the local cloud does not do, or does in part: printed by each run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_EMULATED: Final[Mapping[str, str]] = {
    "aws:appautoscaling/policy:Policy": "capacity is not emulated",
    "aws:appautoscaling/target:Target": "capacity is not emulated",
    "aws:codedeploy/application:Application": "the alias moves at once, with the update",
    "aws:codedeploy/deploymentGroup:DeploymentGroup": "the alias moves at once, with the update",
    "aws:cognito/riskConfiguration:RiskConfiguration": "no attack is looked for",
    "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration": "nothing is archived",
}
"""Resource types that are declared and not created, and why."""

LIMITS: Final[Mapping[str, str]] = {
    "aws:apigatewayv2/stage:Stage": "created, but no access logs are written and nothing is throttled",
    "aws:cloudwatch/dashboard:Dashboard": "created, but there is no console to show it",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "created, but no alarm that it is made of is ever raised",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "created, but no metric of a function, queue or table reaches it",
    "aws:cognito/userPool:UserPool": "created, but no e-mail is sent and no attack is looked for",
    "aws:cognito/userPoolDomain:UserPoolDomain": "created, but the output tokenUrl is AWS's: "
    "the local cloud gives tokens at its own address, /oauth2/token",
    "aws:dynamodb/table:Table": "created; capacity, throttling, encryption and the condition dynamodb:LeadingKeys of "
    "queries are not emulated",
    "aws:kms/key:Key": "created, but a changed ciphertext is decrypted without an error: nothing is authenticated; the "
    "other services do not ask it, so the condition kms:ViaService only keeps functions from asking it themselves",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "created; of a stream, one batch at a time is "
    "read, without asking the role; a batch that fails in part is retried whole, unsplit, and retries are not counted",
    "aws:lambda/function:Function": "created, but outside of any network: its subnets and security groups, which need "
    "not exist, are only noted",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "created, but nothing expires",
    "aws:s3/bucketLogging:BucketLogging": "created, but no access logs are written",
    "aws:secretsmanager/secret:Secret": "created, but not encrypted with the key",
    "aws:sns/topicSubscription:TopicSubscription": "created, but no e-mail is sent",
}
"""Resource types that are created and do less than on AWS."""

NOT_READ: Final[Mapping[str, Mapping[str, str]]] = {
    "aws:kms/key:Key": {"deletionWindowInDays": "counts from the key's deletion"},
    "aws:lambda/function:Function": {"sourceCodeHash": "tells Pulumi that the archive has changed"},
    "aws:lambda/layerVersion:LayerVersion": {"sourceCodeHash": "tells Pulumi that the archive has changed"},
    "aws:s3/bucket:Bucket": {"forceDestroy": "counts when the stack is destroyed"},
    "aws:secretsmanager/secret:Secret": {"recoveryWindowInDays": "counts from the secret's deletion"},
}
"""Type → properties that no creator passes on, and why. Any other that is declared and not read is an error."""
