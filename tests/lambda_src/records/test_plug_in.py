"""The worked example of docs/records.md: another record type is one file and one line of config."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
import yaml
from msgspec import Struct

from local.program import check_settings
from local.stack_config import ROOT, StackConfig
from shared.records import schemas
from shared.records.encoder import RecordEncoder
from shared.records.parse import parse
from shared.records.schemas import SchemaError, load_schema
from tests.lambda_src.records.conftest import example_code
from tests.stage_files import STAGES

RUFF: Final = (sys.executable, "-m", "ruff")
PASTED: Final = str(ROOT / "lambda_src" / "shared" / "records" / "schemas" / "invoice.py")


def test_the_example_schema_reads_files(example: type[Struct]) -> None:
    body = (
        b"number,issuedOn,dueOn,currency,amount,PO\nINV-000001,2026-11-20,,,19.90,4711\n"
        b"INV-1,2026-11-20,,EUR,1,\nINV-000002,2026-11-31,,EUR,1,\nINV-000003,2026-11-20,,USD,1,\n"
        b"INV-000004,2026-11-20,,CHF,-1,\nINV-000005,2026-11-20,,CHF,1.001,\nINV-000006,2026-11-20,2026-11-19,CHF,1,\n"
    )

    (batch,) = parse([body], example, max_bytes=1_000_000)

    assert RecordEncoder().records(batch.valid) == (
        b'{"number":"INV-000001","issuedOn":"2026-11-20","amount":19.90,"PO":"4711"}\n'
    )
    assert [(rejection.number, str(rejection.reasons[0])) for rejection in batch.rejected] == [
        (2, "number: expected str matching regex '^INV-[0-9]{6}$'"),
        (3, "issuedOn: invalid RFC3339 encoded date"),
        (4, "currency: invalid enum value 'USD'"),
        (5, "amount: should be from 0 to 999999999999.9999"),
        (6, "amount: should have at most 2 decimal places"),
        (7, "record: is due before it is issued"),
    ]


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_the_example_pasted_passes_the_linter(command: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own linter
        [*RUFF, *command.split(), "--no-cache", "--stdin-filename", PASTED, "-"],
        cwd=ROOT,
        input=example_code(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_pasted_passes_the_type_checker(tmp_path: Path) -> None:
    (tmp_path / "pasted.py").write_text(example_code())

    done = subprocess.run(  # noqa: S603 - our own type checker
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "pasted.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_config_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team may have pasted the file, or not yet: both are the same to the test."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "records.md").read_text(), re.DOTALL)
    ((key, value),) = yaml.safe_load(text).items()
    (tmp_path / "invoice.py").write_text(example_code())
    monkeypatch.setattr(schemas, "__path__", [*schemas.__path__, str(tmp_path)])
    loaded = sys.modules.pop(module := f"{schemas.__name__}.invoice", None)
    try:
        check_settings(StackConfig.load("dev", {key.partition(":")[2]: value}, folder=STAGES))
    finally:
        sys.modules.pop(module, None)
        if loaded:
            sys.modules[module] = loaded

    assert "uploads/invoices/=invoice" in value


def test_a_schema_that_is_not_there_stops_the_function_at_start() -> None:
    with pytest.raises(ModuleNotFoundError, match="nosuch"):
        load_schema("nosuch")


@pytest.mark.parametrize("name", ["Invoice", "1st", "a-b", "a.b", "_a", "x" * 65, ""])
def test_a_name_that_results_cannot_have_stops_the_function_at_start(name: str) -> None:
    with pytest.raises(SchemaError, match="no name of a record type"):
        load_schema(name)


def test_a_field_that_is_the_pipelines_stops_the_function_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Struct, rename={"version": "_version"}):
        version: str

    module = ModuleType("mine")
    module.RECORD = Mine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"{schemas.__name__}.mine", module)

    with pytest.raises(SchemaError, match="field _version: a name that begins with an underscore"):
        load_schema("mine")
