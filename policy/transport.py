"""Nothing goes over the wire in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy.resource import UNKNOWN, Resource, Stack
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule
from policy.statements import resource_statements


@dataclass(frozen=True, kw_only=True)
class _Guarded:
    """A type that has a policy of its own: where that is, how it points at it, and what it must deny without TLS."""

    policy: str
    pointer: str
    action: str


_GUARDED: Final[Mapping[str, _Guarded]] = {
    Type.BUCKET: _Guarded(policy=Type.BUCKET_POLICY, pointer="bucket", action="s3:*"),
    Type.QUEUE: _Guarded(policy=Type.QUEUE_POLICY, pointer="queueUrl", action="sqs:*"),
    # A topic's policy takes single actions only; publishing is what carries data.
    Type.TOPIC: _Guarded(policy=Type.TOPIC_POLICY, pointer="arn", action="sns:Publish"),
}
_TLS_ACTIONS: Final = {guarded.policy: guarded.action for guarded in _GUARDED.values()}
_QUEUE_URL: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com[a-z.]*/(\d{12})/([^/]+)")


@resource_rule(*_TLS_ACTIONS)
def tls_only(resource: Resource) -> Iterator[str]:
    """Policies of buckets, queues and topics deny plain HTTP."""
    if resource.at("policy") is UNKNOWN:
        return
    action = _TLS_ACTIONS[resource.type]
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
    target = policy.at(next(guarded.pointer for guarded in _GUARDED.values() if guarded.policy == policy.type))
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
    for kind, guarded in _GUARDED.items():
        for resource in stack.all(kind):
            if not stack.pointing_at(resource, guarded.policy, guarded.pointer):
                yield resource, "has no policy, so nothing denies plain HTTP"


@resource_rule(Type.SUBSCRIPTION)
def subscriptions_over_tls(subscription: Resource) -> Iterator[str]:
    """Topics send nothing in plain text."""
    if subscription.at("protocol") == "http":
        yield f"protocol = http sends to {subscription.at('endpoint')} in plain text: use https"
