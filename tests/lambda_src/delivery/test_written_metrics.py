"""The metrics that the delivery's functions write when they run are those that graphs look at, and no others."""

from __future__ import annotations

import pytest

from tests.declared_stack import DeclaredStack
from tests.lambda_src.delivery.conftest import Delivering, change
from tests.metrics import read_of, start_cold, written


@pytest.mark.parametrize("purpose", ["forward", "delivery"])
def test_what_is_written_is_looked_at_and_what_is_looked_at_is_written(
    delivery: Delivering, delivering: DeclaredStack, capsys: pytest.CaptureFixture[str], purpose: str
) -> None:
    name = f"file-pipeline-dev-{purpose}"
    if purpose == "delivery":
        delivery.forward(change())
    start_cold()
    capsys.readouterr()

    if purpose == "forward":
        assert delivery.forward(change(), function_name=name) == []
    else:
        assert delivery.deliver(function_name=name) == 0

    assert written(capsys.readouterr().out) == read_of(delivering, purpose)
