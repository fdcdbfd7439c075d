"""Where resources say who may do what, and the statements that stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policy import resource_types as types
from policy.documents import MalformedDocumentError, Statement, read_document
from policy.rule import Resource, elements, look, resource_rule

RESOURCE_DOCUMENTS: Final = {
    types.BUCKET_POLICY: "policy",
    types.QUEUE_POLICY: "policy",
    types.TOPIC_POLICY: "policy",
    types.KEY: "policy",
    types.SECRET_POLICY: "policy",
    types.ROLE: "assumeRolePolicy",
}
"""Where a resource says who may use it."""

DOCUMENTS: Final = {*RESOURCE_DOCUMENTS, types.ROLE_POLICY}

ACCOUNT_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:root|\d{12}")
"""An account as a whole: whom it lets in is for its own IAM to say."""


def given_to_role(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the documents that say what a role may do, each after where it stands."""
    if resource.type == types.ROLE_POLICY:
        yield "policy", resource.at("policy")
    if resource.type == types.ROLE:
        for number, inline in enumerate(elements(resource.at("inlinePolicies"))):
            yield f"inlinePolicies[{number}].policy", look(inline, "policy")


def given_by_resource(resource: Resource) -> Iterator[tuple[str, object]]:
    """Yield the document that says who may use a resource, after where it stands."""
    if resource.type in RESOURCE_DOCUMENTS:
        where = RESOURCE_DOCUMENTS[resource.type]
        yield where, resource.at(where)


def _is_readable(resource: Resource) -> Iterator[str]:
    """Complain of a document that cannot be read: the other rules take it for empty."""
    for where, text in (*given_to_role(resource), *given_by_resource(resource)):
        try:
            read_document(text)
        except MalformedDocumentError as error:
            yield f"{where} {error}"


def statements(documents: Iterator[tuple[str, object]]) -> list[Statement]:
    """Return all statements of documents that can be read: another rule complains of the others."""
    found: list[Statement] = []
    for _, text in documents:
        try:
            found += read_document(text)
        except MalformedDocumentError:
            continue
    return found


RULES: Final = (resource_rule("documents-readable", "Policy documents can be read.", DOCUMENTS, _is_readable),)
