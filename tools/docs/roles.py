"""The roles of a deployment as tables: what each may do, and why something is not bound to a stage's names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from bootstrap.boundary import boundary_statements
from bootstrap.policies import Policies, StatePlace, check_policies, deploy_policies, drift_policies, preview_policies
from bootstrap.rights import EVERY_TYPE
from bootstrap.rights.commands import CHECK, RELEASE
from bootstrap.rights.model import Place
from components.iam import Statement, render_policy
from policy.documents import read_document
from tools.docs.permissions import conditions, table

_PLACE: Final = Place(
    partition="aws",
    account="ACCOUNT",
    region="REGION",
    project="project",
    stage="stage",
    boundary_arn="arn:aws:iam::ACCOUNT:policy/project-bootstrap-stage-boundary",
)
_STATE: Final = StatePlace(bucket_arn="STATE", key_arn="STATE-KEY", secrets_key_arn="SECRETS-KEY")

_HEAD: Final = """
## What deploys, previews, compares and checks a stage

The roles that `bootstrap/` makes, from one table of what each declared resource type needs
(`bootstrap/rights/`). `STATE` is the bucket of Pulumi's state, `STATE-KEY` its key, `SECRETS-KEY` the key of the
secrets in this stage's state. The role that compares a stage with its state (drift) also has what previews it.
"""


def document() -> str:
    """Return the end of docs/iam.md."""
    own = [f"arn:aws:iam::ACCOUNT:{kind}" for kind in ("role/project-bootstrap-*", "policy/project-bootstrap-*")]
    deploy = deploy_policies(
        _PLACE, _STATE, (), own_names=[*own, "arn:aws:iam::ACCOUNT:oidc-provider/*"], destroyable=True
    )
    preview, drift = preview_policies(_PLACE, _STATE), drift_policies(_PLACE, _STATE, ())
    columns = ("statement", "", "actions", "on", "condition")
    known = set(_rows(preview))
    return "\n".join(
        [
            _HEAD,
            "### The role that previews\n",
            *table(columns, iter(known)),
            "\n### The role that looks for drift, beside that\n",
            *table(columns, iter(set(_rows(drift)) - known)),
            "\n### The role that checks, beside reading the state\n",
            *table(columns, iter(set(_rows(check_policies(_PLACE, _STATE, ()))) - known)),
            "\n### The role that deploys\n",
            "`Objects`, and `s3:ListBucketVersions`, only for `destroyableStages`.\n",
            *table(columns, _rows(deploy)),
            "\n### The boundary of every role that it makes\n",
            *table(columns, _lines(boundary_statements(_PLACE))),
            "\n### What no name of the stage stands for\n",
            *sorted(_reasons()),
            "",
        ]
    )


def _rows(policies: Policies) -> Iterator[tuple[str, ...]]:
    for statements in policies.values():
        yield from _lines(statements)


def _lines(statements: Iterable[Statement]) -> Iterator[tuple[str, ...]]:
    for statement in read_document(json.dumps(render_policy(list(statements)))):
        yield (
            statement.sid,
            "allow" if statement.allows else "deny",
            ", ".join(statement.actions),
            ", ".join(statement.resources),
            conditions(statement),
        )


def _reasons() -> set[str]:
    tables = (*EVERY_TYPE.values(), *RELEASE.values(), *CHECK.values())
    return {f"- {rights.on.sid}: {rights.on.why}." for entries in tables for rights in entries if rights.on.why}
