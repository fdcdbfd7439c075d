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
    """

    purpose: str
    name: str
    published: Mapping[int, str]
    live: int
    weights: Mapping[int, float]
    aliased: frozenset[int]

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


def _read(session: Session, purpose: str, name: str) -> Versions:
    client = session.lambda_
    published = {
        int(version["Version"]): version["LastModified"]
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
        published=published,
        live=int(live["FunctionVersion"]),
        weights=_weights(live),
        aliased=frozenset(named.union(*(_weights(alias) for alias in aliases))),
    )


def _weights(alias: AliasConfigurationTypeDef) -> dict[int, float]:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return {int(version): weight for version, weight in weights.items()}


def starts(session: Session, versions: Versions, version: int) -> bool:
    """Tell whether a version answers the check event: one that an update stopped at does not."""
    try:
        answer = session.lambda_.invoke(FunctionName=versions.name, Qualifier=str(version), Payload=_CHECK)
    except ClientError as error:
        session.console.error(f"{versions.purpose}: version {version} cannot be invoked: {error}")
        return False
    return not answer.get("FunctionError")


def move_alias(client: LambdaClient, name: str, version: int) -> None:
    """Have the alias send every call to one version."""
    client.update_alias(
        FunctionName=name,
        Name=LIVE,
        FunctionVersion=str(version),
        RoutingConfig={"AdditionalVersionWeights": {}},
    )


def delete_superfluous(client: LambdaClient, versions: Versions, kept: int) -> list[int]:
    """Delete old versions but the newest `kept` ones and those that an alias names; return which."""
    gone = versions.superfluous(kept)
    for version in gone:
        client.delete_function(FunctionName=versions.name, Qualifier=str(version))
    return gone
