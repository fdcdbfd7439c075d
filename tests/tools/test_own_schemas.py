"""A company's own folder of schemas: packed with ours, and refused alike."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from components.settings import SettingsError
from local.program import check_settings
from local.stack_config import StackConfig
from shared.records import schemas
from tests.stage_files import STAGES
from tests.tools.test_schemas import END, RECORD


def own(folder: Path, *record_types: str) -> None:
    values = {"recordSchemas": str(folder), "recordTypes": list(record_types)}
    check_settings(StackConfig.load("dev", values, folder=STAGES))


def test_a_folder_of_ones_own_has_schemas_too(tmp_path: Path) -> None:
    (tmp_path / "parcel.py").write_text(RECORD + "a: int" + END)

    own(tmp_path, "uploads/a/=parcel", "uploads/b/=shipment")

    assert f"{schemas.__name__}.parcel" not in sys.modules, "another stack's may have the same name"


@pytest.mark.parametrize(
    ("file", "code", "reason"),
    [
        ("parcel.py", "", "parcel.py has no RECORD"),
        ("parcel.py", RECORD + "a: Raw" + END, "parcel.py: field a: msgspec.Raw is published as it came"),
        ("parcels.py", RECORD + "a: int" + END, "there is no file lambda_src/shared/records/schemas/parcel.py"),
        ("shipment.py", RECORD + "a: int" + END, "shipment.py is in lambda_src/shared/records/schemas too"),
    ],
)
def test_a_schema_of_ones_own_is_refused_like_ours(tmp_path: Path, file: str, code: str, reason: str) -> None:
    (tmp_path / file).write_text(code)

    with pytest.raises(SettingsError) as error:
        own(tmp_path, "uploads/a/=parcel")

    assert reason in str(error.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"file-pipeline:recordSchemas = '.*nowhere': there is no folder /"):
        own(tmp_path / "nowhere", "uploads/a/=shipment")
