"""``rotate-secret``: a new password and signing key, in force within minutes and without a deployment."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

import boto3

from operate.command import WELL, Command, UsageError

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

    from operate.screen import Screen
    from operate.stack_outputs import StackOutputs

CHARACTERS = 32


def run(outputs: StackOutputs, screen: Screen, *, username: str | None = None) -> int:
    """Rotate the secret. Nothing of its value is printed.

    Parameters
    ----------
    outputs, screen
        The stack's, and where the new version is said.
    username
        The username from now on; None: as before.

    Returns
    -------
    int
        0.

    Raises
    ------
    operate.stack_outputs.OutputsError
        If the stack has no secret.
    operate.command.UsageError
        If the secret holds no username, and none is given.
    botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError
        If AWS fails; the secret is as before.
    """
    arn = outputs.get("secretArn", needed_for="it has no secret to rotate")
    client = boto3.client("secretsmanager")
    current = _fields(client.get_secret_value(SecretId=arn).get("SecretString", ""))
    name = username or current.get("username")
    if not isinstance(name, str):
        raise UsageError(f"{arn} holds no username, so nobody can use it; --username NAME gives it one")
    renewed = {**current, "username": name, "password": _random(client), "signing_key": _random(client)}
    version = client.put_secret_value(SecretId=arn, SecretString=json.dumps(renewed))["VersionId"]
    screen.result({"secretArn": arn, "versionId": version})
    screen.say(arn)
    screen.say(f"has a new password and signing key: version {version}")
    return WELL


def _fields(value: str) -> dict[str, object]:
    try:
        content: object = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _random(client: SecretsManagerClient) -> str:
    """Draw letters and digits, which need no quoting anywhere."""
    return client.get_random_password(PasswordLength=CHARACTERS, ExcludePunctuation=True, RequireEachIncludedType=True)[
        "RandomPassword"
    ]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--username", metavar="NAME", help="another username; default: as before")


COMMAND: Final = Command(
    name="rotate-secret",
    summary="make a new password and signing key for the next system",
    configure=_configure,
    run=lambda options, outputs, screen: run(outputs, screen, username=options.username),
    interrupted="the secret is as before, or rotated: see when it was changed before you rotate it twice",
)
