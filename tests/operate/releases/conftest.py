"""One function, each version of which starts; nothing is waited for but what a test says."""

from __future__ import annotations

import pytest

from tests.lambda_src.conftest import Calls
from tests.operate.conftest import Operate
from tests.operate.releases.released import codedeploy_that, forget_function


@pytest.fixture(autouse=True)
def _one_function(operate: Operate, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    del operate
    forget_function("api")
    calls.answers["Invoke"] = {}  # each version starts
    monkeypatch.setattr("operate.releases.deployments.time.sleep", codedeploy_that())
