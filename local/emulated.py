"""The emulator's application, with one thing put right: its JWT authorizer asks for keys over plain HTTP.

Where the emulator serves TLS alone that never works, so the keys of the user pool are handed over in the process.
"""

from __future__ import annotations

import json

from ministack.app import app
from ministack.services import apigateway, cognito

__all__ = ["app"]


async def _hand_over_keys(url: str) -> object:
    """Return the key set of the user pool that `url` names: ``…/<pool id>/.well-known/jwks.json``."""
    pool_id = url.split("/")[-3]
    _, _, body = cognito.well_known_jwks(pool_id)
    keys: object = json.loads(body)
    return keys


apigateway._fetch_jwks = _hand_over_keys  # noqa: SLF001 - there is no setting for it
