"""Policy documents, read as IAM reads them: one text or a list of texts, names in any case."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policy.resource import UNKNOWN

_POSITIVE_OPERATORS: Final = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})
SOURCE_KEYS: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "kms:encryptioncontext:aws:logs:arn"})
"""Condition keys, in lower case, that say for whom a service acts."""

_ACCOUNT: Final = re.compile(r"\d{12}")


class MalformedDocumentError(ValueError):
    """The text is no policy document, or a statement of it has no effect."""


@dataclass(frozen=True, kw_only=True)
class PolicyStatement:
    """One statement of a policy document.

    Parameters
    ----------
    sid
        Its Sid, or its number where it has none.
    allows
        Whether it allows; if not, it denies.
    actions, resources
        What, on what.
    principals
        Kind of principal → who. ``*`` alone is ``{"AWS": ["*"]}``.
    conditions
        Operator → condition key → values.
    negated
        Elements that say what is not meant: NotAction, NotResource, NotPrincipal.
    """

    sid: str
    allows: bool
    actions: list[str]
    resources: list[str]
    principals: Mapping[str, list[str]]
    conditions: Mapping[str, Mapping[str, list[str]]]
    negated: list[str]

    @property
    def demands(self) -> list[tuple[str, list[str]]]:
        """What a request must carry to match: condition keys, in lower case, with the values that will do.

        Only operators that say what must be there. The negative ones, and those with IfExists or ForAllValues, also
        match a request that lacks the key.
        """
        return [
            (key.lower(), values)
            for operator, keys in self.conditions.items()
            if operator in _POSITIVE_OPERATORS
            for key, values in keys.items()
        ]

    @property
    def is_for_one_source(self) -> bool:
        """Whether it demands that a service acts for one account or resource only."""
        return any(all(is_one_source(key, value) for value in values) for key, values in self.demands if values)

    @property
    def is_for_everybody(self) -> bool:
        """Whether its principal is everybody."""
        return any("*" in who for who in self.principals.values())


def has_wildcard(text: str) -> bool:
    """Tell whether IAM reads a wildcard in `text`: ``*`` for any characters, ``?`` for any one."""
    return "*" in text or "?" in text


def is_nothing_but_wildcards(text: str) -> bool:
    """Tell whether any value would match `text`."""
    return not text.strip("*?")


def account_of(text: str) -> str | None:
    """Return the account that an ARN, the URL of a queue or a bare account number belongs to; None if none is named."""
    if text.startswith("arn:"):
        fields = text.split(":", 5)
        return fields[4] if len(fields) > 4 and _ACCOUNT.fullmatch(fields[4]) else None  # noqa: PLR2004 - the account
    return next((part for part in text.split("/") if _ACCOUNT.fullmatch(part)), None)


def is_one_source(key: str, value: str) -> bool:
    """Tell whether a value of one of `SOURCE_KEYS` means one account, or one resource."""
    if key == "aws:sourceaccount":
        return account_of(value) == value
    # A bucket's ARN names no account, so it has to name the bucket.
    return key in SOURCE_KEYS and value.startswith("arn:") and (bool(account_of(value)) or not has_wildcard(value))


def read_document(text: object) -> list[PolicyStatement]:
    """Return the statements of a policy document; none for one that is missing or not known yet.

    Raises
    ------
    MalformedDocumentError
        If it is no policy document, or a statement neither allows nor denies.
    """
    if text is None or text is UNKNOWN:
        return []
    try:
        document: object = json.loads(text) if isinstance(text, str) else None
    except ValueError as error:
        raise MalformedDocumentError("is not JSON") from error
    stated = document.get("Statement") if isinstance(document, dict) else None
    entries = stated if isinstance(stated, list) else [stated]
    if not all(isinstance(entry, dict) for entry in entries):
        raise MalformedDocumentError("has no Statement")
    return [_read_statement(number, entry) for number, entry in enumerate(entries) if isinstance(entry, dict)]


def _read_statement(number: int, entry: dict[str, object]) -> PolicyStatement:
    conditions = _mapping(entry.get("Condition"))
    principal = entry.get("Principal")
    sid, effect = str(entry.get("Sid", number)), entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedDocumentError(f"has a statement {sid} whose Effect is {effect}: should be Allow or Deny")
    return PolicyStatement(
        sid=sid,
        allows=effect == "Allow",
        actions=_texts(entry.get("Action")),
        resources=_texts(entry.get("Resource")),
        principals={"AWS": ["*"]}
        if principal == "*"
        else {kind: _texts(who) for kind, who in _mapping(principal).items()},
        conditions={
            operator: {key: _texts(value) for key, value in _mapping(keys).items()}
            for operator, keys in conditions.items()
        },
        negated=[name for name in ("NotAction", "NotResource", "NotPrincipal") if name in entry],
    )


def _mapping(value: object) -> dict[str, object]:
    return {str(name): entry for name, entry in value.items()} if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [] if value is None else [str(text) for text in value] if isinstance(value, list) else [str(value)]
