"""Nothing goes over the wire in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy import resource_types as types
from policy.rule import UNKNOWN, Resource, Stack, resource_rule, stack_rule
from policy.statements import given_by_resource, statements


@dataclass(frozen=True, kw_only=True)
class _Guarded:
    """A type that has a policy of its own: where that is, how it points at it, and what it must deny without TLS."""

    policy: str
    pointer: str
    action: str


_GUARDED: Final[Mapping[str, _Guarded]] = {
    types.BUCKET: _Guarded(policy=types.BUCKET_POLICY, pointer="bucket", action="s3:*"),
    types.QUEUE: _Guarded(policy=types.QUEUE_POLICY, pointer="queueUrl", action="sqs:*"),
    # A topic's policy takes single actions only; publishing is what carries data.
    types.TOPIC: _Guarded(policy=types.TOPIC_POLICY, pointer="arn", action="sns:Publish"),
}
_TLS_ACTIONS: Final = {guarded.policy: guarded.action for guarded in _GUARDED.values()}
_QUEUE_URL: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com[a-z.]*/(\d{12})/([^/]+)")


def _denies_plain_http(resource: Resource) -> Iterator[str]:
    if resource.at("policy") is UNKNOWN:
        return
    action = _TLS_ACTIONS[resource.type]
    denials = [
        statement
        for statement in statements(given_by_resource(resource))
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
    if policy.type == types.BUCKET_POLICY:
        return [f"arn:aws[a-z-]*:s3:::{re.escape(name)}", f"arn:aws[a-z-]*:s3:::{re.escape(name)}/\\*"]
    if policy.type == types.TOPIC_POLICY:
        return [re.escape(name)]
    if of_aws := _QUEUE_URL.fullmatch(name):
        return [f"arn:aws[a-z-]*:sqs:{':'.join(re.escape(part) for part in of_aws.groups())}"]
    # An emulator's URL does not say the region.
    return [f"arn:aws[a-z-]*:sqs:.*:{re.escape(name.rpartition('/')[2])}"]


def _has_a_policy(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for kind, guarded in _GUARDED.items():
        for resource in stack.all(kind):
            if not stack.pointing_at(resource, guarded.policy, guarded.pointer):
                yield resource, "has no policy, so nothing denies plain HTTP"


def _tells_over_tls(subscription: Resource) -> Iterator[str]:
    if subscription.at("protocol") == "http":
        yield f"protocol = http sends to {subscription.at('endpoint')} in plain text: use https"


RULES: Final = (
    resource_rule(
        "tls-only", "Policies of buckets, queues and topics deny plain HTTP.", _TLS_ACTIONS, _denies_plain_http
    ),
    stack_rule("tls-everywhere", "Every bucket, queue and topic has such a policy.", _has_a_policy),
    resource_rule(
        "subscriptions-over-tls", "Topics send nothing in plain text.", {types.SUBSCRIPTION}, _tells_over_tls
    ),
)
