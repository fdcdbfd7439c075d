"""The secret: generated, encrypted, in clear nowhere."""

from __future__ import annotations

import base64
import json

import pulumi

from delivery.credentials import FIELDS
from delivery.signature import key_bytes
from tests.components.test_delivery import arn
from tests.conftest import PASSWORD
from tests.declared_stack import DeclaredStack


def test_the_secret_stands_under_the_stacks_key(stack: DeclaredStack) -> None:
    secret = stack.one("Secret")

    assert secret.text("kmsKeyId") == arn("kms", f"file-pipeline-{stack.stage}-encryption-key")
    assert secret.number("recoveryWindowInDays") == {"dev": 0, "prod": 30}[stack.stage]
    assert stack.outputs["secretArn"] == arn("secretsmanager", secret.name)


def test_plain_http_reaches_no_secret(stack: DeclaredStack) -> None:
    policy = stack.one("SecretPolicy")
    deny = policy.statements()["DenyInsecureTransport"]

    assert policy.inputs["blockPublicPolicy"] is True
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["secretsmanager:*"])
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_value_is_generated_and_secret_from_the_start(stack: DeclaredStack) -> None:
    value = stack.one("SecretVersion").inputs["secretString"]

    assert pulumi.runtime.rpc.is_rpc_secret(value), "in clear in the state"
    told = json.loads(str(pulumi.runtime.rpc.unwrap_rpc_secret(value)))
    key = f"whsec_{base64.b64encode(PASSWORD.encode()).decode()}"
    assert told == {"username": "admin", "password": PASSWORD, "signing_key": key}
    assert set(told) == set(FIELDS)
    assert key_bytes(key)


def test_an_update_rotates_nothing_and_a_rotation_is_no_drift(stack: DeclaredStack) -> None:
    version = stack.one("SecretVersion")

    assert version.ignore_changes == ["secretString", "versionStages"]
    assert version.inputs["versionStages"] == ["AWSCURRENT", "DECLARED"]
