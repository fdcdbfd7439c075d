"""Files of a check are delivered only where the stage says so."""

from __future__ import annotations

import pytest

from tests.conftest import declare
from tests.declared_stack import DeclaredStack
from tests.lambda_src.delivery.conftest import ENDPOINT, Delivering, change, declared_environment, import_handler


@pytest.mark.parametrize(("deliver", "queued"), [("false", 1), ("true", 2)])
def test_a_checks_file_is_delivered_if_the_stage_says_so(
    delivery: Delivering, monkeypatch: pytest.MonkeyPatch, deliver: str, queued: int
) -> None:
    monkeypatch.setenv("DELIVER_CHECKS", deliver)
    import_handler(monkeypatch, "forward")
    check = change(2)
    inner = check["dynamodb"]
    assert isinstance(inner, dict)
    inner["NewImage"]["is_check"] = {"BOOL": True}

    assert delivery.forward(change(1), check, change(3, status="SKIPPED")) == []

    assert delivery.waiting() == queued


def test_that_is_a_setting(delivering: DeclaredStack) -> None:
    changed = declare("dev", overrides={"deliveryEndpoint": ENDPOINT, "deliverChecks": True})

    assert declared_environment(delivering, "forward")["DELIVER_CHECKS"] == "false"
    assert declared_environment(changed, "forward")["DELIVER_CHECKS"] == "true"
