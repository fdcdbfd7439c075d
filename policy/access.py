"""Who may do what: TLS only, nothing public, and permissions that name what they give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy import resource_types as types
from policy.documents import (
    MalformedDocumentError,
    Statement,
    account_of,
    has_wildcard,
    is_nothing_but_wildcards,
    read_document,
)
from policy.rule import (
    EVERY_TYPE,
    UNKNOWN,
    Resource,
    Stack,
    elements,
    is_on,
    is_one_of,
    is_set,
    look,
    resource_rule,
    stack_rule,
)


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
_RESOURCE_DOCUMENTS: Final = {
    **dict.fromkeys(_TLS_ACTIONS, "policy"),
    types.KEY: "policy",
    types.SECRET_POLICY: "policy",
    types.ROLE: "assumeRolePolicy",
}
"""Where a resource says who may use it."""

_DOCUMENTS: Final = {*_RESOURCE_DOCUMENTS, types.ROLE_POLICY}
_INLINE: Final[Mapping[str, tuple[str, ...]]] = {
    # Each makes routes, the last three with a stage: an API's quick create.
    types.API: ("body", "credentialsArn", "routeKey", "target"),
    types.BUCKET: ("acl", "grants", "policy"),
    types.QUEUE: ("policy",),
    types.ROLE: ("managedPolicyArns",),
    types.SECRET: ("policy",),
    types.TOPIC: ("policy",),
}
"""Where a resource could let somebody in past the rules, which read the resource made for that."""

_OF_ONE_ACCOUNT: Final = {*_DOCUMENTS, types.FUNCTION_PERMISSION, types.SUBSCRIPTION}
"""What can name another account."""

_POINTERS: Final = (
    "arn",
    "function",
    "queueUrl",
    "secretArn",
    "sourceAccount",
    "sourceArn",
    "subscriptionRoleArn",
    "topic",
)
"""Where these name an account outside their documents."""

_SOURCE_ARNS: Final = frozenset({"aws:sourcearn", "kms:encryptioncontext:aws:logs:arn"})
_SOURCE_KEYS: Final = _SOURCE_ARNS | {"aws:sourceaccount"}
_WITHOUT_RESOURCE: Final = frozenset({"cloudwatch:GetMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"})
"""Actions that cannot be bound to a resource (Service Authorization Reference, AWS X-Ray)."""

_KEY_FAMILIES: Final = frozenset({"kms:GenerateDataKey*", "kms:ReEncrypt*"})
"""Actions with a wildcard that a key's policy may give: how KMS itself words them."""

_KINDS: Final = frozenset(
    {"alias", "event-bus", "function", "key", "layer", "log-group", "role", "rule", "secret", "table", "userpool"}
)
"""What may stand before the name in an ARN, and names nothing itself."""

_ACCOUNT_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:root|\d{12}")
_QUEUE_URL: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com[a-z.]*/(\d{12})/([^/]+)")
_PUBLIC_ACCESS_SWITCHES: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _given_to_role(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the documents that say what a role may do, each after where it stands."""
    if resource.type == types.ROLE_POLICY:
        yield "policy", resource.at("policy")
    if resource.type == types.ROLE:
        for number, inline in enumerate(elements(resource.at("inlinePolicies"))):
            yield f"inlinePolicies[{number}].policy", look(inline, "policy")


def _given_by_resource(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the document that says who may use a resource, after where it stands."""
    if resource.type in _RESOURCE_DOCUMENTS:
        where = _RESOURCE_DOCUMENTS[resource.type]
        yield where, resource.at(where)


def _is_readable(resource: Resource) -> Iterator[str]:
    """Complain of a document that cannot be read: the other rules take it for empty."""
    for where, text in (*_given_to_role(resource), *_given_by_resource(resource)):
        try:
            read_document(text)
        except MalformedDocumentError as error:
            yield f"{where} {error}"


def _statements(documents: Iterator[tuple[str, object]]) -> list[Statement]:
    found: list[Statement] = []
    for _, text in documents:
        try:
            found += read_document(text)
        except MalformedDocumentError:
            continue
    return found


def _is_known(resource: Resource) -> Iterator[str]:
    if resource.type in types.KNOWN or resource.type.startswith(types.OUR_OWN):
        return
    if resource.type.startswith("aws:iam/"):
        yield f"{resource.type}: permissions are given by a Role and its RolePolicy alone, which the rules read"
    else:
        yield (
            f"no rule reads {resource.type}: declare it with a type of policy/resource_types.py, or add it to KNOWN"
            " there, with a rule for what it stores and whom it lets in"
        )


def _has_nothing_inline(resource: Resource) -> Iterator[str]:
    for name in _INLINE[resource.type]:
        value = resource.at(name)
        if value is not UNKNOWN and is_set(value):
            yield f"{name} is set inline, where no rule reads it: declare a resource of its own for that"


def _denies_plain_http(resource: Resource) -> Iterator[str]:
    if resource.at("policy") is UNKNOWN:
        return
    action = _TLS_ACTIONS[resource.type]
    denials = [
        statement
        for statement in _statements(_given_by_resource(resource))
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


def _is_not_public(resource: Resource) -> Iterator[str]:
    for statement in _statements(_given_by_resource(resource)):
        if not statement.allows:
            continue
        if statement.is_for_everybody:
            yield f"{statement.sid} allows everybody: name the principal"
            continue
        for kind, who in ((kind, one) for kind, all_of_it in statement.principals.items() for one in all_of_it):
            if resource.type == types.ROLE:
                if kind != "Service":
                    yield f"{statement.sid} lets {who} take the role: only services may"
            elif kind == "Service":
                if not _is_bound(statement):
                    yield f"{statement.sid} allows {who} on anybody's behalf: add aws:SourceAccount or aws:SourceArn"
            elif kind != "AWS" or not _ACCOUNT_ROOT.fullmatch(who):
                yield f"{statement.sid} allows {who}: leave it to the account's own roles, by its root"


def _is_bound(statement: Statement) -> bool:
    """Tell whether a service may act for one account or resource only."""
    return any(all(_is_one_source(key, value) for value in values) for key, values in statement.demands if values)


def _is_one_source(key: str, value: str) -> bool:
    if key == "aws:sourceaccount":
        return account_of(value) == value
    # A bucket's ARN names no account, so it has to name the bucket.
    return (
        key in _SOURCE_ARNS and value.startswith("arn:") and (account_of(value) is not None or not has_wildcard(value))
    )


def _is_of_one_account(resource: Resource) -> Iterator[str]:
    accounts = _accounts(resource)
    if len(accounts) > 1:
        yield f"names the accounts {', '.join(sorted(accounts))}: its own only"


def _stack_is_of_one_account(stack: Stack) -> Iterator[tuple[Resource, str]]:
    own = {
        account
        for resource in stack.resources
        # A topic's policy and subscriptions have the account of the topic that somebody wrote; the other ARNs are
        # what AWS answered.
        if resource.type.startswith("aws:") and resource.type not in {types.TOPIC_POLICY, types.SUBSCRIPTION}
        for account in [account_of(str(resource.at("arn")))]
        if account
    }
    named = {resource.urn: _accounts(resource) for resource in stack.all(*_OF_ONE_ACCOUNT)}
    if not own and len(set().union(*named.values())) == 1:
        return
    for resource in stack.all(*_OF_ONE_ACCOUNT):
        if strange := named[resource.urn] - own:
            yield resource, f"names the account {', '.join(sorted(strange))}, which is not the whole stack's"


def _accounts(resource: Resource) -> set[str]:
    """Return the accounts that what a resource allows names, and the one that it is for."""
    named = [str(resource.at(pointer)) for pointer in _POINTERS]
    endpoint = str(resource.at("endpoint"))
    named += [endpoint] if endpoint.startswith("arn:") else []  # a URL may hold any number
    for statement in (*_statements(_given_to_role(resource)), *_statements(_given_by_resource(resource))):
        if statement.allows:
            named += [who for all_of_a_kind in statement.principals.values() for who in all_of_a_kind]
            named += [value for key, values in statement.demands if key in _SOURCE_KEYS for value in values]
            named += statement.resources
    return {account for account in map(account_of, named) if account}


def _private_bucket(stack: Stack) -> Iterator[tuple[Resource, str]]:
    for bucket in stack.all(types.BUCKET):
        for kind, what in (
            (types.BUCKET_PUBLIC_ACCESS, "BucketPublicAccessBlock"),
            (types.BUCKET_OWNERSHIP, "BucketOwnershipControls"),
        ):
            if not stack.pointing_at(bucket, kind, "bucket"):
                yield bucket, f"has no {what}"


def _blocks_public_access(resource: Resource) -> Iterator[str]:
    for switch in _PUBLIC_ACCESS_SWITCHES:
        if not is_on(resource.at(switch)):
            yield f"{switch} is not true"


def _owner_enforced(resource: Resource) -> Iterator[str]:
    ownership = resource.at("rule", "objectOwnership")
    if not is_one_of(ownership, "BucketOwnerEnforced"):
        yield f"objectOwnership = {ownership}: should be BucketOwnerEnforced, so that no ACL counts"


def _invocable_by_named(permission: Resource) -> Iterator[str]:
    principal = permission.at("principal")
    if principal is not UNKNOWN and not str(principal).endswith(".amazonaws.com"):
        yield f"allows {principal} to call the function: only a service may"
    if permission.at("functionUrlAuthType") == "NONE":
        yield "functionUrlAuthType = NONE allows everybody to call the function: leave it out"
    arn, account = permission.at("sourceArn"), permission.at("sourceAccount")
    bound = (("aws:sourcearn", arn), ("aws:sourceaccount", account))
    if not any(value is UNKNOWN or _is_one_source(key, str(value)) for key, value in bound):
        yield (
            f"sourceArn = {arn}, sourceAccount = {account} allows a service on anybody's behalf: set sourceArn to an"
            " ARN that names its account, or has no wildcard"
        )


def _tells_over_tls(subscription: Resource) -> Iterator[str]:
    if subscription.at("protocol") == "http":
        yield f"protocol = http sends to {subscription.at('endpoint')} in plain text: use https"


def _names_what_it_gives(resource: Resource) -> Iterator[str]:
    to_role, by_resource = _statements(_given_to_role(resource)), _statements(_given_by_resource(resource))
    for statement in (*to_role, *by_resource):
        for element in statement.negated:
            yield f"{statement.sid} has {element}: name what is meant, not what is not"
    for statement in to_role:
        if statement.allows:
            for action in filter(has_wildcard, statement.actions):
                yield f"{statement.sid} allows {action}: name each action"
            yield from _names_its_resources(statement)
    for statement in by_resource:
        if statement.allows and not (resource.type == types.KEY and _is_account_root(statement)):
            for action in filter(has_wildcard, statement.actions):
                if resource.type != types.KEY or action not in _KEY_FAMILIES:
                    yield f"{statement.sid} allows {action}: name each action"


def _names_its_resources(statement: Statement) -> Iterator[str]:
    unbound = set(statement.actions) <= _WITHOUT_RESOURCE
    for name in statement.resources:
        if _names_something(name):
            continue
        if not unbound:
            yield f"{statement.sid} allows {', '.join(statement.actions)} on {name}: name the resource"
        elif not any(values and not any(map(is_nothing_but_wildcards, values)) for _, values in statement.demands):
            yield f"{statement.sid} allows {', '.join(statement.actions)} on {name} without a condition that binds it"


def _names_something(arn: str) -> bool:
    """Tell whether an ARN names at least one thing whole, before any wildcard: ``table/*`` and ``na*`` do not."""
    if not has_wildcard(arn):
        return True
    *home, name = arn.split(":", 5)
    if len(home) < 5 or any(map(has_wildcard, home)):  # noqa: PLR2004 - arn, partition, service, region, account
        return False
    named = re.split(r"[*?]", name, maxsplit=1)[0]
    return named.endswith((":", "/")) and named.strip(":/") not in {"", *_KINDS}


def _is_account_root(statement: Statement) -> bool:
    """Tell whether it leaves a key to its account's own IAM, without which nobody could manage the key."""
    who = statement.principals.get("AWS", [])
    return set(statement.principals) == {"AWS"} and bool(who) and all(map(_ACCOUNT_ROOT.fullmatch, who))


RULES: Final = (
    resource_rule("known-types", "Every resource is of a type that the rules know.", EVERY_TYPE, _is_known),
    resource_rule(
        "nothing-inline",
        "Roles have policies of their own, and resources let nobody in but by the resource that is made for it.",
        _INLINE,
        _has_nothing_inline,
    ),
    resource_rule("documents-readable", "Policy documents can be read.", _DOCUMENTS, _is_readable),
    resource_rule(
        "tls-only", "Policies of buckets, queues and topics deny plain HTTP.", _TLS_ACTIONS, _denies_plain_http
    ),
    stack_rule("tls-everywhere", "Every bucket, queue and topic has such a policy.", _has_a_policy),
    resource_rule(
        "nothing-public",
        "No policy allows everybody, nor a service on anybody's behalf.",
        _RESOURCE_DOCUMENTS,
        _is_not_public,
    ),
    resource_rule(
        "one-account-in-a-policy",
        "A policy, permission or subscription names no account but its own.",
        _OF_ONE_ACCOUNT,
        _is_of_one_account,
    ),
    stack_rule("one-account-in-a-stack", "None names another account than the stack's.", _stack_is_of_one_account),
    resource_rule(
        "subscriptions-over-tls", "Topics send nothing in plain text.", {types.SUBSCRIPTION}, _tells_over_tls
    ),
    stack_rule(
        "buckets-private", "Every bucket blocks public access and belongs to its account alone.", _private_bucket
    ),
    resource_rule(
        "public-access-blocked",
        "Public access is blocked in all four ways.",
        {types.BUCKET_PUBLIC_ACCESS},
        _blocks_public_access,
    ),
    resource_rule("owner-enforced", "No ACL of an object counts.", {types.BUCKET_OWNERSHIP}, _owner_enforced),
    resource_rule(
        "functions-not-public",
        "Functions are called by named principals, for named resources.",
        {types.FUNCTION_PERMISSION},
        _invocable_by_named,
    ),
    resource_rule(
        "least-privilege",
        "Roles name their actions, and their resources or a condition; nothing is given by negation.",
        _DOCUMENTS,
        _names_what_it_gives,
    ),
)
