"""No other account than the stack's own is let in or reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policy.documents import SOURCE_KEYS, account_of
from policy.resource import Resource, Stack
from policy.resource_types import Type
from policy.rule import StackComplaints, resource_rule, stack_rule
from policy.statements import DOCUMENTS, all_statements

_OF_ONE_ACCOUNT: Final = {*DOCUMENTS, Type.FUNCTION_PERMISSION, Type.SUBSCRIPTION}
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


@resource_rule(*_OF_ONE_ACCOUNT)
def one_account_in_a_policy(resource: Resource) -> Iterator[str]:
    """A policy, permission or subscription names no account but its own."""
    accounts = _accounts(resource)
    if len(accounts) > 1:
        yield f"names the accounts {', '.join(sorted(accounts))}: its own only"


@stack_rule()
def one_account_in_a_stack(stack: Stack) -> StackComplaints:
    """Nothing names another account than the stack's."""
    own = {
        account
        for resource in stack.resources
        # A topic's policy and subscriptions have the account of the topic that somebody wrote; the other ARNs are
        # what AWS answered.
        if resource.type.startswith("aws:") and resource.type not in {Type.TOPIC_POLICY, Type.SUBSCRIPTION}
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
    for statement in all_statements(resource):
        if statement.allows:
            named += [who for all_of_a_kind in statement.principals.values() for who in all_of_a_kind]
            named += [value for key, values in statement.demands if key in SOURCE_KEYS for value in values]
            named += statement.resources
    return {account for account in map(account_of, named) if account}
