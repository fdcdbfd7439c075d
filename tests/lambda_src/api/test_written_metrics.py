"""The metrics that the API's function writes when it runs are those that graphs look at, and no others."""

from __future__ import annotations

import pytest

from tests.declared_stack import DeclaredStack
from tests.lambda_src.api.conftest import HandlerClient
from tests.metrics import read_of, start_cold, written


def test_what_is_written_is_looked_at_and_what_is_looked_at_is_written(
    api: HandlerClient, dev: DeclaredStack, capsys: pytest.CaptureFixture[str]
) -> None:
    start_cold()
    capsys.readouterr()

    assert api.post("/validate", {"data": [{"shipment_id": "SHP-1"}]}).status == 200
    assert api.get("/files").status == 200

    assert written(capsys.readouterr().out) == read_of(dev, "api")
