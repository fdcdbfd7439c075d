"""The metrics that the delivery function writes when it runs are those that graphs look at, and no others."""

from __future__ import annotations

import pytest

from tests.conftest import DeclaredStack
from tests.lambda_src.conftest import LambdaContext
from tests.lambda_src.delivery.conftest import Delivering, change
from tests.metrics import read_of, start_cold, written


def test_what_is_written_is_looked_at_and_what_is_looked_at_is_written(
    delivery: Delivering, delivering: DeclaredStack, capsys: pytest.CaptureFixture[str]
) -> None:
    start_cold()
    capsys.readouterr()

    assert delivery.invoke(change(), context=LambdaContext(function_name="file-pipeline-dev-delivery")) == []

    assert written(capsys.readouterr().out) == read_of(delivering, "delivery")
