"""Every permission of a stack as tables, read from the policies that the program declares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from local.stack_config import StackConfig
from policy.documents import PolicyStatement, read_document
from policy.resource_types import Type
from policy.statements import POLICY_TARGETS, RESOURCE_DOCUMENTS
from tools.docs.declared import ACCOUNT, REGION, Declared, declared_by

EVERY_PART: Final[Mapping[str, object]] = {
    # The layer is not looked at: this machine's is built the fastest.
    "layerPlatform": "host",
    "lambdaInsightsLayerArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:LambdaInsightsExtension-Arm64:1",
    "alertEmails": ["ops@example.com"],
    "deliveryEndpoint": "https://receiver.example.com/files",
    "tableBillingMode": "PROVISIONED",
    "intelligentTiering": True,
    "archiveAfterDays": 90,
}
"""Settings with which each part that can be left out is there."""

CONFIG: Final = StackConfig(
    project="project",
    stage="stage",
    values={"aws:region": REGION}
    | {f"project:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in EVERY_PART.items()},
)
"""A stack that no team's stage file has a say in."""

_HEAD: Final = """# Permissions

Made by `make docs` from the policies that the program declares with every optional part: a permission
that grows shows here, in review. The stack's own resources go by their names in the program, without `project-stage-`;
`REGION` and `ACCOUNT` are those of the stack.
"""


@cache
def declared() -> Declared:
    """Return what the program declares with every optional part."""
    return declared_by(CONFIG)


def document() -> str:
    """Return docs/iam.md: what each function's role may do, and what each resource lets whom do."""
    text = "\n".join(
        [
            _HEAD,
            "## What each function may do\n",
            *table(("function", "action", "resource", "condition", "grant"), _functions(declared())),
            "\n## What each resource lets whom do\n",
            *table(("resource", "", "who", "action", "on", "condition", "statement"), _resources(declared())),
            "",
        ]
    )
    return text.replace(REGION, "REGION").replace(ACCOUNT, "ACCOUNT")


def _functions(resources: Declared) -> Iterator[tuple[str, ...]]:
    users: dict[object, list[str]] = {}
    for kind, name, inputs in resources:
        if kind == Type.FUNCTION:
            users.setdefault(inputs["role"], []).append(name)
    for kind, _, inputs in resources:
        if kind == Type.ROLE_POLICY:
            who = ", ".join(sorted(users.get(inputs["role"], [str(inputs["role"]).removesuffix("-role")])))
            for statement in read_document(inputs["policy"]):
                for action in statement.actions:
                    for resource in statement.resources:
                        yield who, action, resource, conditions(statement), statement.sid


def _resources(resources: Declared) -> Iterator[tuple[str, ...]]:
    for kind, name, inputs in resources:
        if kind in RESOURCE_DOCUMENTS:
            owner = str(inputs[POLICY_TARGETS[kind]]) if kind in POLICY_TARGETS else name
            text = inputs.get(RESOURCE_DOCUMENTS[kind])
        elif kind == Type.FUNCTION_PERMISSION:
            source = str(inputs.get("sourceArn", ""))
            yield (
                str(inputs["function"]),
                "allow",
                f"Service: {inputs['principal']}",
                str(inputs["action"]),
                "",
                f"aws:SourceArn = {source}",
                name,
            )
            continue
        else:
            continue
        for statement in read_document(text):
            who = ", ".join(f"{kind}: {', '.join(names)}" for kind, names in statement.principals.items())
            for action in statement.actions:
                yield (
                    owner,
                    "allow" if statement.allows else "deny",
                    "everybody" if statement.is_for_everybody else who,
                    action,
                    ", ".join(statement.resources),
                    conditions(statement),
                    statement.sid,
                )


def conditions(statement: PolicyStatement) -> str:
    """Return a statement's conditions on one line."""
    return "; ".join(
        f"{operator}: {key} = {', '.join(values)}"
        for operator, keys in sorted(statement.conditions.items())
        for key, values in sorted(keys.items())
    )


def table(columns: Sequence[str], rows: Iterator[tuple[str, ...]]) -> list[str]:
    """Return a table in Markdown, its rows in order."""
    cells = [[f"`{cell}`" if ":" in cell or "*" in cell else cell for cell in row] for row in sorted(rows)]
    head = [columns, ["---"] * len(columns)]
    return ["| " + " | ".join(row) + " |" for row in [*head, *cells]]
