"""``rotate-secret``: a new password and signing key, in force within minutes and without a deployment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from operate.command import OK, UsageError, if_interrupted
from operate.session import CurrentSession

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_CHARACTERS: Final = 32


@if_interrupted("the secret is as before, or rotated: see when it was changed before you rotate it twice")
def rotate_secret(*, username: str | None = None, session: CurrentSession) -> int:
    """Make a new password and signing key for the next system.

    Parameters
    ----------
    username
        Another username; default: as before.
    session
        The stack.

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
    arn = session.outputs.get("secretArn", needed_for="it has no secret to rotate")
    client, console = session.secretsmanager, session.console
    current = _fields(client.get_secret_value(SecretId=arn).get("SecretString", ""))
    name = username or current.get("username")
    if not isinstance(name, str):
        raise UsageError(f"{arn} holds no username, so nobody can use it; --username NAME gives it one")
    renewed = {**current, "username": name, "password": _random(client), "signing_key": _random(client)}
    version = client.put_secret_value(SecretId=arn, SecretString=json.dumps(renewed))["VersionId"]
    console.result({"secretArn": arn, "versionId": version})
    console.say(arn)
    console.say(f"has a new password and signing key: version {version}")
    return OK


def _fields(value: str) -> dict[str, object]:
    try:
        content: object = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _random(client: SecretsManagerClient) -> str:
    """Draw letters and digits, which need no quoting anywhere."""
    answer = client.get_random_password(
        PasswordLength=_CHARACTERS, ExcludePunctuation=True, RequireEachIncludedType=True
    )
    return answer["RandomPassword"]
