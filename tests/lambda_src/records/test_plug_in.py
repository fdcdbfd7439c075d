"""The worked example of docs/records.md: another record type is one file and one line of config."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from components.settings import Settings
from local.stack_config import ROOT
from shared.records import schemas
from shared.records.parse import parse
from shared.records.schemas import load_schema

DOCUMENT = (ROOT / "docs" / "records.md").read_text()


@pytest.fixture
def _invoice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "invoice.py").write_text(code)
    monkeypatch.setattr(schemas, "__path__", [*schemas.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "shared.records.schemas.invoice", raising=False)


@pytest.mark.usefixtures("_invoice")
def test_the_example_schema_reads_files() -> None:
    body = (
        b"number,issued,currency,cents,customer\nINV-000001,2026-11-20,EUR,1999,ACME\n"
        b"INV-1,2026-11-20,EUR,1,\nINV-000002,2026-11-31,EUR,1,\nINV-000003,2026-11-20,USD,1,\nINV-000004,2026-11-20,CHF,-1,\n"
    )

    (batch,) = parse([body], load_schema("invoice"), max_bytes=1_000_000)

    assert [msgspec.structs.asdict(record)["number"] for record in batch.valid] == ["INV-000001"]
    assert [(r.number, r.reason.partition(":")[0]) for r in batch.rejected] == [
        (2, "number"),
        (3, "issued"),
        (4, "currency"),
        (5, "cents"),
    ]


def test_the_example_config_is_valid() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    (value,) = yaml.safe_load(text).values()

    assert Settings(record_types=value).record_types == value


def test_a_schema_that_is_not_there_stops_the_function_at_start() -> None:
    with pytest.raises(ModuleNotFoundError, match="nosuch"):
        load_schema("nosuch")
