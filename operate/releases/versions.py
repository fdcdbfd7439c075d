"""The versions of the stack's functions, and the alias that they are called by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from operate.session import LIVE, Session
from shared.check import KEY

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import AliasConfigurationTypeDef

_LATEST: Final = "$LATEST"
_UNUSABLE: Final = frozenset({"Failed", "Inactive"})
"""States of a version that cannot be invoked (Lambda API reference, FunctionConfiguration)."""

_CHECK: Final = json.dumps({KEY: "start"})


@dataclass(frozen=True, kw_only=True)
class Versions:
    """A function's versions, as they were when they were read.

    Parameters
    ----------
    purpose, name
        What the function does, in a word, and its name.
    published
        Version → when it was published.
    live
        The version that the alias names.
    weights
        Other versions that the alias sends a share of the calls to: version → share, from 0 to 1.
    aliased
        Every version that any alias of the function names.
    revision
        Lambda's id of the alias as it was read, which each change of it renews.
    timeout
        The longest that any of the versions may run, in seconds.
    """

    purpose: str
    name: str
    published: Mapping[int, str]
    live: int
    weights: Mapping[int, float]
    aliased: frozenset[int]
    revision: str
    timeout: int

    @property
    def newest(self) -> int:
        """The version that was published last."""
        return max(self.published)

    @property
    def is_released(self) -> bool:
        """Whether every call goes to the newest version."""
        return self.live == self.newest and not self.weights

    def superfluous(self, kept: int) -> list[int]:
        """Return the old versions beside the newest `kept` ones, none of which an alias names."""
        old = sorted((version for version in self.published if version < self.live), reverse=True)
        return [version for version in old[kept:] if version not in self.aliased]


def read_versions(session: Session) -> list[Versions]:
    """Return the versions of each function of the stack.

    Raises
    ------
    FaultError
        If one has no alias to be called by.
    """
    return [_read(session, purpose, name) for purpose, name in session.outputs.functions.items()]


def read_again(session: Session, versions: Versions) -> Versions:
    """Return the versions of one function as they are now."""
    return _read(session, versions.purpose, versions.name)


def _read(session: Session, purpose: str, name: str) -> Versions:
    client = session.lambda_
    listed = {
        int(version["Version"]): version
        for page in client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        for version in page["Versions"]
        if version["Version"] != _LATEST
    }
    aliases = [
        alias for page in client.get_paginator("list_aliases").paginate(FunctionName=name) for alias in page["Aliases"]
    ]
    live = next((alias for alias in aliases if alias["Name"] == LIVE), None)
    if live is None:
        raise session.alias_gone(name)
    named = {int(alias["FunctionVersion"]) for alias in aliases if alias["FunctionVersion"] != _LATEST}
    return Versions(
        purpose=purpose,
        name=name,
        published={number: version["LastModified"] for number, version in listed.items()},
        live=int(live["FunctionVersion"]),
        weights=_weights(live),
        aliased=frozenset(named.union(*(_weights(alias) for alias in aliases))),
        revision=live["RevisionId"],
        timeout=max(version["Timeout"] for version in listed.values()),
    )


def _weights(alias: AliasConfigurationTypeDef) -> dict[int, float]:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return {int(version): weight for version, weight in weights.items()}


def starts(session: Session, versions: Versions, version: int) -> bool:
    """Tell whether a version answers the check event: one that an update stopped at does not.

    Raises
    ------
    ClientError, BotoCoreError
        If it cannot be told: Lambda throttles, fails or is not reached, however often it is asked.
    """
    try:
        answer = session.invoker(versions.timeout).invoke(
            FunctionName=versions.name, Qualifier=str(version), Payload=_CHECK
        )
    except ClientError:
        found = session.lambda_.get_function_configuration(FunctionName=versions.name, Qualifier=str(version))
        if found.get("State") not in _UNUSABLE:
            raise
        session.console.error(f"{versions.purpose}: version {version} cannot be invoked: it is {found['State']}")
        return False
    return not answer.get("FunctionError")


def move_alias(client: LambdaClient, versions: Versions, version: int) -> None:
    """Have the alias send every call to one version.

    Raises
    ------
    ClientError
        PreconditionFailedException if the alias was changed since it was read.
    """
    client.update_alias(
        FunctionName=versions.name,
        Name=LIVE,
        FunctionVersion=str(version),
        RoutingConfig={"AdditionalVersionWeights": {}},
        RevisionId=versions.revision,
    )


def delete_superfluous(session: Session, versions: Versions, kept: int) -> list[int]:
    """Delete old versions but the newest `kept` ones and those that an alias names; return which.

    One that Lambda does not let go is said, and left to the next time.
    """
    gone = []
    for version in versions.superfluous(kept):
        try:
            session.lambda_.delete_function(FunctionName=versions.name, Qualifier=str(version))
        except ClientError as error:
            session.console.error(f"{versions.purpose}: version {version} is not deleted: {error}")
        else:
            gone.append(version)
    return gone
