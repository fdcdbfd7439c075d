"""Cursors: where a list goes on, sealed so that they are good for this caller and this list alone."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from api.catalog_reader import Position
from api.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_kms import KMSClient

_REFUSED: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"})
_UNKNOWN_KEY: Final = "The ciphertext refers to"
"""How KMS's denial begins where a ciphertext names a key that is not there; a role without a right hears otherwise."""


class Cursors:
    """Seals positions with the stack's key, bound to what they are for.

    A KMS ciphertext is encrypted and authenticated, and the encryption context is a part of what is authenticated:
    there is no key of our own to keep, and one that was changed, or made for another list or caller, does not open.

    Parameters
    ----------
    client
        Gives the KMS client, when it is needed.
    key_arn
        The key.
    """

    def __init__(self, client: Callable[[], KMSClient], key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn

    def seal(self, position: Position, purpose: dict[str, str]) -> str:
        """Return the cursor of a position, for `purpose`."""
        sealed = self._client().encrypt(
            KeyId=self._key_arn, Plaintext=json.dumps(position).encode(), EncryptionContext=purpose
        )
        return base64.urlsafe_b64encode(sealed["CiphertextBlob"]).decode().rstrip("=")

    def open(self, cursor: str, purpose: dict[str, str]) -> Position:
        """Return the position of a cursor.

        Raises
        ------
        ApiError
            If we did not make the cursor, for this purpose.
        """
        try:
            blob = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            opened = self._client().decrypt(KeyId=self._key_arn, CiphertextBlob=blob, EncryptionContext=purpose)
            time, tie = json.loads(opened["Plaintext"])
        except (binascii.Error, ValueError) as error:
            raise _refuse() from error
        except ClientError as error:
            if _is_refusal(error):
                raise _refuse() from error
            raise
        return Position(time, tie)


def _is_refusal(error: ClientError) -> bool:
    said = error.response.get("Error", {})
    return said.get("Code") in _REFUSED or said.get("Message", "").startswith(_UNKNOWN_KEY)


def _refuse() -> ApiError:
    message = "is not one that this list gave; ask for the first page without it"
    return invalid(f"cursor {message}", {"cursor": message})
