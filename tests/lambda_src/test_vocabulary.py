"""Object ids, the order of versions, and the environment."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalog.model import ObjectVersion, Status
from shared.rules import IntakeRules
from shared.settings import WrongEnvironmentError, read_settings
from tests.declared_stack import DeclaredStack
from tests.lambda_src.conftest import declared_environment, import_handler

VERSION = ObjectVersion(
    bucket="landing",
    key="uploads/a.csv",
    version_id="v1",
    etag="d41d8cd98f00b204e9800998ecf8427e",
    size=0,
    sequencer="0055AED6DCD90281E5",
    event_name="ObjectCreated:Put",
    event_time="2026-11-20T08:15:30.123Z",
)


def test_an_object_id_is_the_key_and_sixteen_digits() -> None:
    assert VERSION.object_id == "landing/uploads/a.csv#" + VERSION.object_id[-16:]
    assert re.fullmatch(r"[0-9a-f]{16}", VERSION.object_id[-16:])


def test_same_content_has_the_same_id_and_other_content_another() -> None:
    uploaded_again = dataclasses.replace(VERSION, version_id="v2", sequencer="00FF", event_time="")

    assert uploaded_again.object_id == VERSION.object_id
    assert dataclasses.replace(VERSION, etag="other").object_id != VERSION.object_id
    assert dataclasses.replace(VERSION, bucket="other").object_id[-16:] != VERSION.object_id[-16:]
    assert dataclasses.replace(VERSION, key="other").object_id[-16:] != VERSION.object_id[-16:]


_NAMES = st.text("/#ab", max_size=4)


@given(_NAMES, _NAMES, _NAMES, _NAMES)
def test_no_two_inputs_share_their_digits(key: str, etag: str, other_key: str, other_etag: str) -> None:
    one = dataclasses.replace(VERSION, key=key, etag=etag)
    other = dataclasses.replace(VERSION, key=other_key, etag=other_etag)

    assert (one.object_id[-16:] == other.object_id[-16:]) == ((key, etag) == (other_key, other_etag))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("0055AED6DCD90281E4", "0055AED6DCD90281E5", id="same length"),
        pytest.param("0055AED6DCD90281", "0055AED6DCD90281E5", id="shorter, padded with zeros on the right"),
        pytest.param("0055", "01", id="longer, yet earlier"),
        pytest.param("", "00FF", id="none"),
        pytest.param("0055aed6", "0055AED7", id="lower case"),
    ],
)
def test_sequencers_are_padded_on_the_right_and_compared_as_text(earlier: str, later: str) -> None:
    assert dataclasses.replace(VERSION, sequencer=earlier).order < dataclasses.replace(VERSION, sequencer=later).order


@pytest.mark.usefixtures("handler")
def test_the_function_reads_exactly_what_the_program_sets(dev: DeclaredStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable that the program sets, taken away, stops the function at start, with its name."""
    for name in declared_environment(dev):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(WrongEnvironmentError, match=f"environment variable {name} is missing"):
                import_handler()


@pytest.mark.parametrize("name", ["MAX_OBJECT_BYTES", "REFUSED_PREFIXES", "INDEX_SHARDS"])
@pytest.mark.usefixtures("handler")
def test_an_unusable_variable_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "{unusable")

    with pytest.raises(WrongEnvironmentError, match=rf"{name} = '\{{unusable': "):
        import_handler()


def test_a_json_list_of_other_things_is_unusable(dev: DeclaredStack) -> None:
    with pytest.raises(WrongEnvironmentError, match=r"REFUSED_PREFIXES = '\[1, 2\]': expected `str`, got `int`"):
        read_settings(IntakeRules, {**declared_environment(dev), "REFUSED_PREFIXES": "[1, 2]"})


def test_which_statuses_are_final_and_which_end_an_attempt() -> None:
    """A file that FAILED is tried again, so only an attempt is over."""
    assert {status for status in Status if not status.is_final} == {Status.PROCESSING, Status.FAILED}
    assert {status for status in Status if not status.ends_attempt} == {Status.PROCESSING}
