"""No declared property, option or output changes unseen: each stage of the tests has a file that was reviewed."""

from __future__ import annotations

import difflib

import pytest

from tests.conftest import declare
from tests.declared.snapshot import COMMAND, FOLDER, path_of, snapshot
from tests.stage_files import stages

SHOWN_LINES = 60


@pytest.mark.parametrize("stage", stages())
def test_what_is_declared_was_reviewed(stage: str) -> None:
    """A changed URN replaces the resource, so a live table or bucket would be lost: renaming needs an alias."""
    reviewed = path_of(stage).read_text().splitlines() if path_of(stage).exists() else []
    changes = [
        line
        for line in difflib.unified_diff(reviewed, snapshot(stage).splitlines(), "reviewed", "declared", "", "", n=8)
        if not line.startswith("@@")
    ]

    if changes:
        left_out = [f"… and {len(changes) - SHOWN_LINES} lines more"] if len(changes) > SHOWN_LINES else []
        shown = "\n".join([*(line.rstrip() for line in changes[:SHOWN_LINES]), *left_out])
        pytest.fail(
            f"the program declares something else for {stage} than was reviewed:\n{shown}\n"
            f"If that is meant: `{COMMAND}` writes {path_of(stage).relative_to(FOLDER.parents[1])} anew, and its diff "
            "is reviewed with the change.",
            pytrace=False,
        )


@pytest.mark.parametrize("stage", stages())
def test_a_preview_declares_the_same(stage: str) -> None:
    """Nothing may branch on what is not known before the first update: every computed output is unknown here."""
    real, preview = declare(stage), declare(stage, preview=True)

    assert {resource.urn for resource in preview.resources} == {resource.urn for resource in real.resources}


def test_every_file_has_its_stage() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == stages()


def test_secret_outputs_bear_the_engines_mark() -> None:
    """The file says so, and here it is said why: without the mark a password stands in clear in the state."""
    assert "testUserPassword:\n    secret: " in snapshot("dev")
