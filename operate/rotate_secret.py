"""``rotate-secret``: a new password and signing key, in force within minutes and without a deployment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import boto3

from operate.command import Command

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

    from operate.stack_outputs import StackOutputs

CHARACTERS = 32


def run(outputs: StackOutputs, *, as_json: bool) -> int:
    """Rotate the secret. Nothing of its value is printed.

    Returns
    -------
    int
        0.

    Raises
    ------
    operate.stack_outputs.OutputsError
        If the stack has no secret.
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If AWS fails; the secret is as before.
    """
    arn = outputs.get("secretArn", needed_for="it has no secret to rotate")
    client = boto3.client("secretsmanager")
    current: dict[str, str] = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    renewed = {**current, "password": _random(client), "signing_key": _random(client)}
    version = client.put_secret_value(SecretId=arn, SecretString=json.dumps(renewed))["VersionId"]
    sys.stdout.write(
        json.dumps({"secretArn": arn, "versionId": version}) + "\n"
        if as_json
        else f"{arn}\nhas a new password and signing key: version {version}\n"
    )
    return 0


def _random(client: SecretsManagerClient) -> str:
    """Draw letters and digits, which need no quoting anywhere."""
    return client.get_random_password(PasswordLength=CHARACTERS, ExcludePunctuation=True, RequireEachIncludedType=True)[
        "RandomPassword"
    ]


COMMAND: Final = Command(
    name="rotate-secret",
    summary="make a new password and signing key for the next system",
    configure=lambda _parser: None,
    run=lambda _options, outputs, screen: run(outputs, as_json=screen.as_json),
)
