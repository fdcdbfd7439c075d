"""Nothing goes over the wire in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policy.resource import UNKNOWN, Resource, Stack
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule
from policy.statements import POLICY_TARGETS, resource_statements

_POLICIES: Final[Mapping[str, str]] = {
    Type.BUCKET: Type.BUCKET_POLICY,
    Type.QUEUE: Type.QUEUE_POLICY,
    Type.TOPIC: Type.TOPIC_POLICY,
}
"""Types that have a policy of their own."""

_ACTIONS: Final[Mapping[str, str]] = {
    Type.BUCKET_POLICY: "s3:*",
    Type.QUEUE_POLICY: "sqs:*",
    # A topic's policy takes single actions only; publishing is what carries data.
    Type.TOPIC_POLICY: "sns:Publish",
}
"""What such a policy must deny without TLS."""

_QUEUE_URL: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com[a-z.]*/(\d{12})/([^/]+)")


@resource_rule(*_ACTIONS)
def tls_only(resource: Resource) -> Iterator[str]:
    """Policies of buckets, queues and topics deny plain HTTP."""
    if resource.at("policy") is UNKNOWN:
        return
    action = _ACTIONS[resource.type]
    denials = [
        statement
        for statement in resource_statements(resource)
        if not statement.allows
        and statement.is_for_everybody
        and action in statement.actions
        and statement.conditions == {"Bool": {"aws:SecureTransport": ["false"]}}
    ]
    if not denials:
        yield f"does not deny {action} to everybody without TLS (Bool aws:SecureTransport false)"
        return
    denied = {name for statement in denials for name in statement.resources}
    for wanted in _targets(resource):
        if "*" not in denied and not any(re.fullmatch(wanted, name) for name in denied):
            yield f"denies {action} without TLS on {', '.join(sorted(denied))}, which leaves out {wanted}"


def _targets(policy: Resource) -> list[str]:
    """Return patterns of the ARNs that a policy is for; none while it is not known what it is for."""
    target = policy.at(POLICY_TARGETS[policy.type])
    if target is UNKNOWN:
        return []
    name = str(target)
    if policy.type == Type.BUCKET_POLICY:
        return [f"arn:aws[a-z-]*:s3:::{re.escape(name)}", f"arn:aws[a-z-]*:s3:::{re.escape(name)}/\\*"]
    if policy.type == Type.TOPIC_POLICY:
        return [re.escape(name)]
    if of_aws := _QUEUE_URL.fullmatch(name):
        return [f"arn:aws[a-z-]*:sqs:{':'.join(re.escape(part) for part in of_aws.groups())}"]
    # An emulator's URL does not say the region.
    return [f"arn:aws[a-z-]*:sqs:.*:{re.escape(name.rpartition('/')[2])}"]


@stack_rule()
def tls_everywhere(stack: Stack) -> StackComplaints:
    """Every bucket, queue and topic has a policy."""
    for kind, policy in _POLICIES.items():
        for resource in stack.all(kind):
            if not stack.pointing_at(resource, policy, POLICY_TARGETS[policy]):
                yield resource, "has no policy, so nothing denies plain HTTP"


@resource_rule(Type.SUBSCRIPTION)
def subscriptions_over_tls(subscription: Resource) -> Iterator[str]:
    """Topics send nothing in plain text."""
    if subscription.at("protocol") == "http":
        yield f"protocol = http sends to {subscription.at('endpoint')} in plain text: use https"
