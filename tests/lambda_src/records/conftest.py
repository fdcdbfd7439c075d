"""Every record type that is shipped, and the worked example of the documents."""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Iterator
from datetime import date, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, field

from local.stack_config import ROOT
from shared.records import schemas
from shared.records.schemas import load_schema
from shared.records.types import Money

WIDE = "every kind of field"
EXAMPLE = "the example of docs/records.md"
NAMES = sorted(path.stem for path in Path(schemas.__path__[0]).glob("[a-z]*.py"))


def example_code() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "records.md").read_text(), re.DOTALL)
    return str(code)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[msgspec.Struct]]:
    """The documented schema, loaded from a file of its own: a team may have pasted it into the folder of schemas."""
    path = tmp_path_factory.mktemp("example") / "documented_invoice.py"
    path.write_text(example_code())
    spec = spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, path.stem, module)  # where msgspec looks up the names of types
        spec.loader.exec_module(module)
        yield module.RECORD


class Size(enum.IntEnum):
    small = 1
    large = 2


class Tree(Struct, tag="tree", omit_defaults=True):
    """A type that holds itself."""

    fee: Money
    trees: list[Tree] = []


class Wide(Struct, tag_field="@kind", tag=7, rename="kebab", kw_only=True, forbid_unknown_fields=True):
    """A field of every kind that a team may think of."""

    a_number: float
    a_bounded_number: Annotated[float, Meta(gt=0, le=5)] | None = None
    a_number_or_a_flag: bool | float | None = None
    a_whole_number: int | None = None
    an_amount: Money | None = None
    a_word: Annotated[str, Meta(min_length=2, max_length=3)] = "abc"
    a_moment: datetime | None = None
    a_day: date | UnsetType = UNSET
    a_choice: Literal["a", "b", 3] | None = field(name="choice!", default=None)
    a_size: Size = Size.small
    anything: object = None
    a_tree: Tree | None = None
    some_trees: list[Tree] | None = None

    def __post_init__(self) -> None:
        if self.a_size is Size.large and self.a_whole_number is None:
            raise ValueError("is large, and has no whole number")


@pytest.fixture(params=[*NAMES, EXAMPLE, WIDE])
def schema(request: pytest.FixtureRequest) -> type[msgspec.Struct]:
    """Each record type."""
    if request.param == WIDE:
        return Wide
    if request.param == EXAMPLE:
        record: type[msgspec.Struct] = request.getfixturevalue("example")
        return record
    return load_schema(request.param)
