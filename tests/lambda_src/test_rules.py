"""Which objects are accepted, and which are skipped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules import IntakeRules
from shared.settings import read_settings
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import declared_environment

EXTENSIONS = (
    *(".jpg", ".jpeg", ".png", ".pdf", ".txt", ".csv", ".json", ".xml", ".ndjson", ".jsonl"),
    *(".csv.gz", ".json.gz", ".ndjson.gz", ".jsonl.gz"),
)
LIMIT = 1024**3


@pytest.fixture(name="rules", scope="module")
def _rules(dev: DeclaredStack) -> IntakeRules:
    """The rules of the real stage."""
    return read_settings(IntakeRules, declared_environment(dev))


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("key", ["uploads/a{}", "uploads/deep/er/b.c{}", "uploads/UPPER{}"])
def test_the_listed_extensions_are_taken(rules: IntakeRules, key: str, extension: str) -> None:
    shown = extension.upper() if "UPPER" in key else extension
    assert rules.check_key(key.format(shown)) is None


@pytest.mark.parametrize("key", ["uploads/MANIFEST", "uploads/v1.2/README", "uploads/.hidden", "uploads/ünïcödé"])
def test_a_name_without_extension_is_taken(rules: IntakeRules, key: str) -> None:
    assert rules.check_key(key) is None


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("uploads/setup.exe", "extension .exe is not accepted"),
        ("uploads/a.csv.exe", "extension .exe is not accepted"),
        ("uploads/archive.tar.gz", "extension .tar.gz is not accepted"),
        ("uploads/archive.gz", "extension .gz is not accepted"),
        ("uploads/photo.png.gz", "extension .png.gz is not accepted"),
        ("uploads/ends-with-dot.", "extension . is not accepted"),
        ("uploads/notcsv", None),
        ("uploads/...exe", "extension .exe is not accepted"),
        ("uploads/not.acsv", "extension .acsv is not accepted"),
        ("uploads/folder/", "key is a folder, not a file"),
        ("uploads/", "key is a folder, not a file"),
        *(
            (f"{top}{folder}x.csv", f"objects under {folder} are not accepted")
            for top in ("", "uploads/")
            for folder in ("temp/", "tmp/", ".aws/", ".git/")
        ),
        ("uploads/temperature/x.csv", None),
        ("uploads/team/temp/x.csv", None),
        ("processed/x.csv", "key is not under uploads/"),
        ("Uploads/x.csv", "key is not under uploads/"),
    ],
)
def test_what_is_refused_and_why(rules: IntakeRules, key: str, reason: str | None) -> None:
    assert rules.check_key(key) == reason


@pytest.mark.parametrize(("size", "refused"), [(0, False), (LIMIT, False), (LIMIT + 1, True)])
def test_the_size_limit_is_the_last_size_taken(rules: IntakeRules, size: int, *, refused: bool) -> None:
    reason = rules.check_size(size)

    assert (reason is not None) == refused
    if reason:
        assert reason == f"object has {size} bytes, more than the limit of {LIMIT}"


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100))
def test_any_key_gets_an_answer(name: str) -> None:
    rules = IntakeRules(
        uploads_prefix="uploads/", refused_prefixes=("temp/",), allowed_extensions=EXTENSIONS, max_object_bytes=LIMIT
    )
    reason = rules.check_key(f"uploads/{name}")

    assert reason is None or reason
    last = name.rpartition("/")[2]
    if reason is None and "." in last.lstrip("."):
        assert last.lower().endswith(EXTENSIONS)
