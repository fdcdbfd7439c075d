"""How it is written down which actions a declared resource needs, and on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from components.iam import Statement

Templates: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
"""Operator → condition key → values, in which names in braces stand for those of `Place`."""


class Kind(StrEnum):
    """What an action is for."""

    CREATE = "create"
    READ = "read"
    REVEAL = "reveal"
    """Reads what is secret: a refresh compares it too."""
    UPDATE = "update"
    DELETE = "delete"
    EMPTY = "empty"
    """Deletes the data in it."""


CHANGES: Final = (Kind.CREATE, Kind.UPDATE, Kind.DELETE)
READS: Final = (Kind.READ, Kind.REVEAL)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A stage of the pipeline, and where its resources are.

    Parameters
    ----------
    partition, account, region
        Where they are.
    project, stage
        What their names begin with, and what their tags Project and Environment say.
    boundary_arn
        The policy that limits every role of the stage.
    iam_path
        Path of those roles' names.
    """

    partition: str
    account: str
    region: str
    project: str
    stage: str
    boundary_arn: str
    iam_path: str = "/"

    @property
    def prefix(self) -> str:
        """What every name of the stage begins with, before a hyphen."""
        return f"{self.project}-{self.stage}"

    def fill(self, template: str, name: str = "") -> str:
        """Put the place's own values, and `name` or the pattern of the stage's names, into a template."""
        return template.format(
            partition=self.partition,
            account=self.account,
            region=self.region,
            project=self.project,
            stage=self.stage,
            prefix=self.prefix,
            name=name or f"{self.prefix}-*",
            boundary=self.boundary_arn,
            path=self.iam_path,
        )


@dataclass(frozen=True, kw_only=True)
class Target:
    """What actions are on.

    Parameters
    ----------
    sid
        Its name, which the statement takes.
    service
        The service's prefix in actions.
    arns
        Templates of the resources: ``{name}`` is a name of the stage.
    conditions
        What a request must also say.
    why
        Why the resource is not named by the stage's names; empty where it is.
    """

    sid: str
    service: str
    arns: Sequence[str]
    conditions: Templates = field(default_factory=dict)
    why: str = ""

    def statement(self, actions: Sequence[str], place: Place) -> Statement:
        """Allow `actions` on it, at `place`."""
        return Statement(
            sid=self.sid,
            actions=actions,
            resources=[place.fill(arn) for arn in self.arns],
            conditions={
                operator: {place.fill(key): [place.fill(value) for value in values] for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            },
        )


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the provider calls for one resource type, on one target: names of actions between blanks.

    Parameters
    ----------
    on
        The target.
    create, read, reveal, update, delete, empty
        The actions of each `Kind`.
    """

    on: Target
    create: str = ""
    read: str = ""
    reveal: str = ""
    update: str = ""
    delete: str = ""
    empty: str = ""

    def actions(self, *kinds: Kind) -> Iterator[str]:
        """Yield the actions of some kinds, with their service."""
        texts = {
            Kind.CREATE: self.create,
            Kind.READ: self.read,
            Kind.REVEAL: self.reveal,
            Kind.UPDATE: self.update,
            Kind.DELETE: self.delete,
            Kind.EMPTY: self.empty,
        }
        for kind in kinds:
            yield from (f"{self.on.service}:{name}" for name in texts[kind].split())


Table: TypeAlias = Mapping[str, Sequence[Rights]]
"""Resource type, by Pulumi's name → what its provider calls."""


def statements(table: Table, place: Place, *kinds: Kind) -> list[Statement]:
    """Return the statements that allow the actions of some kinds, one for each target."""
    found: dict[str, tuple[Target, set[str]]] = {}
    for rights in (entry for entries in table.values() for entry in entries):
        found.setdefault(rights.on.sid, (rights.on, set()))[1].update(rights.actions(*kinds))
    return [target.statement(sorted(actions), place) for target, actions in found.values() if actions]
