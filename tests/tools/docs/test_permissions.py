"""The tables of permissions leave nothing out."""

from __future__ import annotations

import pytest

from policy.documents import read_document
from tests.bootstrap.account import bootstrap, boundary, documents
from tests.conftest import run
from tests.declared_stack import DeclaredStack, texts
from tools.docs import permissions, roles


def rows() -> list[list[str]]:
    lines = [line for line in permissions.document().splitlines() if line.startswith("| ")]
    return [[cell.strip("` ") for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def full() -> DeclaredStack:
    return run(permissions.CONFIG)


def test_every_action_of_every_role_has_a_row_for_each_resource(full: DeclaredStack) -> None:
    for policy in full.all("RolePolicy"):
        function = policy.name.removeprefix("project-stage-").removesuffix("-policy")
        for sid, statement in policy.statements().items():
            for action in texts(statement["Action"]):
                found = [row for row in rows() if row[0] == function and row[1] == action and row[-1] == sid]
                assert len(found) == len(texts(statement["Resource"])), (function, action)
                assert all(bool(row[3]) == ("Condition" in statement) for row in found), (function, action)


def test_every_statement_of_every_resource_policy_has_a_row(full: DeclaredStack) -> None:
    policies = [
        *(
            (policy, "policy")
            for kind in ("BucketPolicy", "QueuePolicy", "TopicPolicy", "Key")
            for policy in full.all(kind)
        ),
        *((role, "assumeRolePolicy") for role in full.all("Role")),
    ]
    for policy, key in policies:
        for sid, statement in policy.statements(key).items():
            effect = str(statement["Effect"]).lower()
            actions = {row[3] for row in rows() if len(row) == 7 and row[1] == effect and row[-1] == sid}
            assert set(texts(statement["Action"])) <= actions, (policy.name, sid)


@pytest.mark.parametrize("role", ["preview", "drift", "check", "deploy"])
def test_every_statement_of_a_deployment_s_roles_has_a_row(role: str) -> None:
    lines = roles.document().splitlines()
    account = bootstrap({"destroyableStages": ["prod"]})

    for document in [*documents(account, f"prod-{role}"), boundary(account, "prod")]:
        for statement in read_document(document):
            rows = [line for line in lines if line.startswith(f"| {statement.sid} | ")]
            assert any(all(action in row for action in statement.actions) for row in rows), statement.sid
