"""What is sent and kept secret: queues, the topic, the secret."""

from __future__ import annotations

from typing import Final

from bootstrap.rights.model import Rights, Table, Target
from bootstrap.rights.targets import IN_REGION, KEY_THROUGH_SERVICES

_QUEUE: Final = Target(sid="Queues", service="sqs", arns=("arn:{partition}:sqs:{region}:{account}:{name}",))
_TOPIC: Final = Target(sid="Topics", service="sns", arns=("arn:{partition}:sns:{region}:{account}:{name}",))
_SUBSCRIPTION: Final = Target(
    sid="Subscriptions",
    service="sns",
    arns=("*",),
    conditions=IN_REGION,
    why="AWS has no resource-level permission for a subscription",
)
_SECRET: Final = Target(
    sid="Secrets", service="secretsmanager", arns=("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",)
)

_QUEUE_ATTRIBUTES: Final = (Rights(on=_QUEUE, create="SetQueueAttributes", read="GetQueueAttributes"),)


MESSAGES: Final[Table] = {
    "aws:sqs/queue:Queue": (
        Rights(
            on=_QUEUE,
            create="CreateQueue TagQueue",
            read="GetQueueAttributes GetQueueUrl ListQueueTags",
            update="SetQueueAttributes UntagQueue",
            delete="DeleteQueue",
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _QUEUE_ATTRIBUTES,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _QUEUE_ATTRIBUTES,
    "aws:sns/topic:Topic": (
        Rights(
            on=_TOPIC,
            create="CreateTopic SetTopicAttributes TagResource",
            read="GetTopicAttributes ListTagsForResource",
            update="UntagResource",
            delete="DeleteTopic",
        ),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (Rights(on=_TOPIC, create="SetTopicAttributes", read="GetTopicAttributes"),),
    "aws:sns/topicSubscription:TopicSubscription": (
        Rights(on=_TOPIC, create="Subscribe", read="ListSubscriptionsByTopic"),
        Rights(
            on=_SUBSCRIPTION,
            read="GetSubscriptionAttributes",
            update="SetSubscriptionAttributes",
            delete="Unsubscribe",
        ),
    ),
    "aws:secretsmanager/secret:Secret": (
        Rights(
            on=_SECRET,
            create="CreateSecret TagResource",
            read="DescribeSecret GetResourcePolicy",
            update="UntagResource UpdateSecret",
            delete="DeleteSecret",
        ),
        Rights(on=KEY_THROUGH_SERVICES, create="Decrypt GenerateDataKey"),
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": (
        Rights(
            on=_SECRET,
            create="PutResourcePolicy ValidateResourcePolicy",
            read="GetResourcePolicy",
            delete="DeleteResourcePolicy",
        ),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": (
        Rights(
            on=_SECRET,
            create="PutSecretValue",
            read="ListSecretVersionIds",
            reveal="GetSecretValue",
            update="UpdateSecretVersionStage",
        ),
        Rights(on=KEY_THROUGH_SERVICES, reveal="Decrypt"),
    ),
}
