"""``rotate-secret``: a new password and signing key, in force within minutes and without a deployment.

For a day, what is sent is signed with the key before, too: a receiver that has one key, old or new, refuses nothing.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from operate.command import OK, UsageError, if_interrupted
from operate.session import CurrentSession

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_CHARACTERS: Final = 32
_KEY_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
_PREVIOUS: Final = "previous_signing_key"
_UNTIL: Final = "previous_until"
_OVERLAP: Final = timedelta(days=1)
"""How long the key before signs too."""


@if_interrupted("the secret is as before, or rotated: see when it was changed before you rotate it twice")
def rotate_secret(*, username: str | None = None, session: CurrentSession) -> int:
    """Make a new password and signing key for deliveries.

    Parameters
    ----------
    username
        A new username; default: the present one.
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
        raise UsageError(f"{arn} holds no username; give it one with --username NAME")
    if ":" in name:  # it ends the name in an Authorization header (RFC 7617)
        raise UsageError(f"--username {name!r}: should have no colon, such as admin")
    kept = {field: value for field, value in current.items() if field not in {_PREVIOUS, _UNTIL}}
    new = {"username": name, "password": _random(client), "signing_key": _signing_key()}
    renewed = {**kept, **new, **_previous(current)}
    session.announce_change()
    version = client.put_secret_value(SecretId=arn, SecretString=json.dumps(renewed))["VersionId"]
    console.result({"secretArn": arn, "versionId": version})
    console.say(arn)
    console.say(
        f"has a new password and signing key: version {version}. For a day, deliveries are signed with the old key too."
    )
    return OK


def _fields(value: str) -> dict[str, object]:
    try:
        content: object = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _previous(current: Mapping[str, object]) -> dict[str, str]:
    """Return what the secret holds of the key that is replaced, and until when it signs."""
    key = current.get("signing_key")
    if not isinstance(key, str) or not key.startswith(_KEY_PREFIX):
        return {}  # it signed nothing
    return {_PREVIOUS: key, _UNTIL: (datetime.now(UTC) + _OVERLAP).isoformat()}


def _signing_key() -> str:
    """Draw a key as Standard Webhooks has it."""
    return f"{_KEY_PREFIX}{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"


def _random(client: SecretsManagerClient) -> str:
    """Draw letters and digits, which need no quoting anywhere."""
    answer = client.get_random_password(
        PasswordLength=_CHARACTERS, ExcludePunctuation=True, RequireEachIncludedType=True
    )
    return answer["RandomPassword"]
