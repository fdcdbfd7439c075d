"""Programs sign in by client credentials: a token of Cognito's, through the authorizer, to what its scopes allow."""

from __future__ import annotations

import json

import pytest
import urllib3

from local.api import ApiClient
from tests.local.conftest import LocalPipeline

RECORD = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00Z"}


def sign_in(pipeline: LocalPipeline, *scopes: str) -> ApiClient:
    """Sign the stage's program in, for some of its scopes."""
    outputs, emulator = pipeline.stack.outputs, pipeline.stack.emulator
    answer = urllib3.PoolManager(ca_certs=str(emulator.ca_bundle), timeout=30).request(
        "POST",
        f"{emulator.endpoint}/oauth2/token",
        fields={"grant_type": "client_credentials", "scope": " ".join(scopes)},
        headers=urllib3.make_headers(basic_auth=f"{outputs['programClientId']}:{outputs['programClientSecret']}"),
        encode_multipart=False,
    )
    return ApiClient(pipeline.stack, json.loads(answer.data)["access_token"])


@pytest.mark.parametrize(
    ("scopes", "asked", "sent"),
    [(["files/read"], 200, 403), (["files/write"], 200, 200), (["files/read", "files/write"], 200, 200)],
)
def test_a_program_may_do_what_its_scopes_say(
    standing: LocalPipeline, scopes: list[str], asked: int, sent: int
) -> None:
    program = sign_in(standing, *scopes)

    assert program.get("/files", status="COMPLETED").status == asked
    assert program.post("/validate", {"data": [RECORD]}).status == sent
