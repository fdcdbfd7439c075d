"""Where resources say who may do what, and the statements there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from policy.documents import MalformedDocumentError, PolicyStatement, read_document
from policy.resource import Resource, elements, look
from policy.resource_types import Type
from policy.rule import resource_rule

RESOURCE_DOCUMENTS: Final[Mapping[str, str]] = {
    Type.BUCKET_POLICY: "policy",
    Type.QUEUE_POLICY: "policy",
    Type.TOPIC_POLICY: "policy",
    Type.KEY: "policy",
    Type.SECRET_POLICY: "policy",
    Type.ROLE: "assumeRolePolicy",
}
"""Where a resource says who may use it."""

POLICY_TARGETS: Final[Mapping[str, str]] = {
    Type.BUCKET_POLICY: "bucket",
    Type.QUEUE_POLICY: "queueUrl",
    Type.TOPIC_POLICY: "arn",
    Type.SECRET_POLICY: "secretArn",
}
"""Where a policy that is a resource of its own names what it is for."""

DOCUMENTS: Final = {*RESOURCE_DOCUMENTS, Type.ROLE_POLICY}

ACCOUNT_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:root|\d{12}")
"""An account as a whole: whom it lets in is for its own IAM to say."""


def _of_role(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the documents that say what a role may do, each after the name of its property."""
    if resource.type == Type.ROLE_POLICY:
        yield "policy", resource.at("policy")
    if resource.type == Type.ROLE:
        for number, inline in enumerate(elements(resource.at("inlinePolicies"))):
            yield f"inlinePolicies[{number}].policy", look(inline, "policy")


def _of_resource(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the document that says who may use a resource, after the name of its property."""
    if resource.type in RESOURCE_DOCUMENTS:
        where = RESOURCE_DOCUMENTS[resource.type]
        yield where, resource.at(where)


@resource_rule(*DOCUMENTS)
def documents_readable(resource: Resource) -> Iterator[str]:
    """Policy documents can be read.

    The other rules take one that cannot be read for empty.
    """
    for where, text in (*_of_role(resource), *_of_resource(resource)):
        try:
            read_document(text)
        except MalformedDocumentError as error:
            yield f"{where} {error}"


def role_statements(resource: Resource) -> list[PolicyStatement]:
    """Return the statements that say what a role may do."""
    return _statements(_of_role(resource))


def resource_statements(resource: Resource) -> list[PolicyStatement]:
    """Return the statements that say who may use a resource."""
    return _statements(_of_resource(resource))


def all_statements(resource: Resource) -> list[PolicyStatement]:
    """Return both."""
    return [*role_statements(resource), *resource_statements(resource)]


def _statements(documents: Iterator[tuple[str, object]]) -> list[PolicyStatement]:
    """Return all statements of documents that can be read: `documents_readable` complains of the others."""
    found: list[PolicyStatement] = []
    for _, text in documents:
        with contextlib.suppress(MalformedDocumentError):
            found += read_document(text)
    return found
