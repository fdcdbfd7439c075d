"""A schema that cannot be used is a wrong setting: named, with its file, before anything is declared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest

from components.pipeline import Pipeline
from components.settings import SettingsError
from local.program import check_settings
from local.stack_config import StackConfig
from shared.records import schemas
from tests.conftest import declare
from tests.stage_files import STAGES

Write = Callable[[str], str]
NAME: Final = "written_by_a_test"
RECORD: Final = "from msgspec import Meta, Raw, Struct\nclass Thing(Struct):\n    "
END: Final = "\nRECORD = Thing\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a file into the folder of schemas, and return the entry of the config that names it."""

    def written(code: str) -> str:
        (tmp_path / f"{NAME}.py").write_text(code)
        return f"uploads/things/={NAME}"

    monkeypatch.setattr(schemas, "__path__", [*schemas.__path__, str(tmp_path)])
    yield written
    sys.modules.pop(f"{schemas.__name__}.{NAME}", None)


def problem(*record_types: str) -> str:
    with pytest.raises(SettingsError) as error:
        check_settings(StackConfig.load("dev", {"recordTypes": list(record_types)}, folder=STAGES))
    return str(error.value)


FILE: Final = f"lambda_src/shared/records/schemas/{NAME}.py"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param("", f"{FILE} has no RECORD", id="no RECORD"),
        pytest.param("RECORD = dict", f"{FILE}: RECORD = <class 'dict'>: should be a", id="no struct"),
        pytest.param(
            RECORD + "a: int\nRECORD = list[Thing]\n", f"{FILE}: RECORD = list[", id="a struct in something else"
        ),
        pytest.param(RECORD + "a: int\nRECORD = Thing(1)\n", f"{FILE}: RECORD = Thing(a=1)", id="an instance"),
        pytest.param(
            RECORD + "a: int\n    _file: str" + END,
            f"{FILE}: field _file: a name that begins with an underscore is the pipeline's",
            id="a field of ours",
        ),
        pytest.param(
            "from msgspec import Struct\nclass Thing(Struct, tag='thing', tag_field='_kind'):\n    a: int" + END,
            f"{FILE}: field _kind: a name that begins with an underscore",
            id="a tag of ours",
        ),
        pytest.param(
            "from msgspec import Struct\nclass Thing(Struct, rename={'a': '_a'}):\n    a: int" + END,
            f"{FILE}: field _a: a name that begins with an underscore",
            id="a field renamed to one of ours",
        ),
        *(
            pytest.param(
                code + END,
                f"{FILE}: field {name}: results are laid out by record_type and day, so their table has such a column",
                id=f"a column of the table {number}",
            )
            for number, (code, name) in enumerate(
                (
                    (RECORD + "a: int\n    day: str", "day"),
                    (RECORD + "record_type: str", "record_type"),
                    (RECORD + "Day: int", "Day"),
                    ("from msgspec import Struct\nclass Thing(Struct, rename={'a': 'day'}):\n    a: int", "day"),
                    (
                        "import msgspec\nclass Thing(msgspec.Struct, tag_field='record_type', tag='x'):\n    a: int",
                        "record_type",
                    ),
                )
            )
        ),
        pytest.param(
            RECORD + "carrier: str\n    Carrier: str" + END,
            f"{FILE}: fields carrier and Carrier: differ in case alone, and are one column of a table: rename one",
            id="two names that differ in case alone",
        ),
        pytest.param(
            "from msgspec import Struct\nclass Inner(Struct):\n    no: int\n    NO: int\n"
            "class Thing(Struct):\n    at: list[Inner]" + END,
            f"{FILE}: fields at.no and at.NO: differ in case alone",
            id="two names of an inner record",
        ),
        pytest.param("import nosuch", f"{FILE} cannot be imported: ModuleNotFoundError: No module", id="import error"),
        pytest.param("class Thing(", f"{FILE} cannot be imported: SyntaxError: '('", id="syntax error"),
        pytest.param("1 / 0", f"{FILE} cannot be imported: ZeroDivisionError: division by zero", id="any error"),
        pytest.param(
            "from decimal import Decimal\nfrom typing import Annotated\n"
            + RECORD
            + "a: Annotated[Decimal, Meta(ge=0)]"
            + END,
            f"{FILE}: Can only set `ge` on a numeric type",
            id="a type that the decoder refuses",
        ),
        pytest.param(
            "from typing import Final\n" + RECORD + "a: Final[int] = 1" + END,
            f"{FILE}: typing.Final[int] is not valid as type argument",
            id="a type that the decoder of rows refuses",
        ),
        pytest.param(RECORD + "a: 'Nothing'" + END, f"{FILE}: name 'Nothing' is not defined", id="an unknown name"),
        pytest.param(
            RECORD + "a: int | bytes | str" + END, f"{FILE}: Type unions may not contain more than one", id="a union"
        ),
        pytest.param(
            "from decimal import Decimal\n" + RECORD + "a: list[Decimal | None]" + END,
            f"{FILE}: field a: Decimal has no bounds, and may be NaN: use Money",
            id="Decimal",
        ),
        pytest.param(RECORD + "a: dict[str, Raw]" + END, f"{FILE}: field a: msgspec.Raw is published as", id="Raw"),
        pytest.param(
            "from pathlib import Path\n" + RECORD + "a: Path" + END,
            f"{FILE}: field a: Path is no type that msgspec reads",
            id="another class",
        ),
        pytest.param(
            "from msgspec.msgpack import Ext\n" + RECORD + "a: Ext" + END,
            f"{FILE}: field a: msgspec.msgpack.Ext",
            id="Ext",
        ),
        pytest.param(
            "from shared.records.types import Money\n" + RECORD + "a: dict[Money, int]" + END,
            f"{FILE}: field a: a dict's keys should be texts or whole numbers",
            id="Money as a key",
        ),
        pytest.param(
            RECORD + "a: dict[float, int]" + END, f"{FILE}: field a: a dict's keys should be", id="NaN as a key"
        ),
        pytest.param(
            "from msgspec import Struct\nclass Inner(Struct):\n    inners: list['Inner']\n    at: object | None\n"
            "class Thing(Struct, rename='camel'):\n    the_inner: Inner | None\n    more: list[complex]" + END,
            f"{FILE}: field more: complex is no type",
            id="beside a type that holds itself",
        ),
        pytest.param(
            "from msgspec import Raw, Struct\nclass Inner(Struct):\n    raw: Raw\n"
            "class Thing(Struct, rename='camel'):\n    the_inner: list[Inner]" + END,
            f"{FILE}: field theInner.raw: msgspec.Raw",
            id="a field of a field",
        ),
        pytest.param(
            RECORD + "a: float = float('nan')" + END,
            f"{FILE}: field a: the default nan is not valid: Expected `float`, got `null`",
            id="NaN as a default",
        ),
        pytest.param(
            RECORD + "a: list[int] = __import__('msgspec').field(default_factory=lambda: ['x'])" + END,
            f"{FILE}: field a: the default ['x'] is not valid: Expected `int`, got `str`",
            id="a default factory",
        ),
        pytest.param(
            "from msgspec import Struct\nclass Thing(Struct, array_like=True):\n    a: int" + END,
            f"{FILE}: RECORD is array_like: a record should be an object",
            id="an array",
        ),
        pytest.param(RECORD + "pass" + END, f"{FILE}: RECORD has no fields", id="no fields"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_wrong_setting(write: Write, code: str, reason: str) -> None:
    entry = write(code)

    text = problem("uploads/shipments/=shipment", entry)

    assert text.startswith("wrong settings of stack 'dev':\n")
    assert f"\n  file-pipeline:recordTypes[1] = '{entry}': {reason}" in text
    assert "recordTypes[0]" not in text


@pytest.mark.parametrize(
    "code",
    [
        RECORD + "a: object" + END,
        "from typing import Any\n" + RECORD + "a: dict[str, Any]" + END,
        "from shared.records.types import Money\nclass Fee(Money):\n    places = 2\n"
        + RECORD
        + "a: list[Fee] = []\n    b: Fee | None = None\n    c: Fee = Fee('1.50')"
        + END,
        "from msgspec import UNSET, UnsetType\n" + RECORD + "a: str | UnsetType = UNSET" + END,
        "from msgspec import Struct\nclass Inner(Struct):\n    day: int\n    record_type: str\n"
        "class Thing(Struct):\n    days: list[Inner]" + END,
        "from msgspec import Struct\nclass Thing(Struct, tag='x', tag_field='@type', kw_only=True):\n"
        "    a: 'Thing | None' = None\n    b: int" + END,
    ],
)
def test_what_can_be_used_is_taken(write: Write, code: str) -> None:
    check_settings(StackConfig.load("dev", {"recordTypes": [write(code)]}, folder=STAGES))


@pytest.mark.parametrize("decoder", ["RecordDecoder", "CellDecoder"])
def test_each_decoder_is_built(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> NoReturn:
        raise TypeError("the decoder's own sentence")

    monkeypatch.setattr(f"tools.schema_problems.{decoder}", refuse)

    text = problem("uploads/shipments/=shipment")

    assert text.endswith("lambda_src/shared/records/schemas/shipment.py: the decoder's own sentence")


def test_a_name_without_a_file_is_a_wrong_setting() -> None:
    text = problem("uploads/a/=nosuch")

    assert "recordTypes[0] = 'uploads/a/=nosuch': there is no file lambda_src/shared/records/schemas/nosuch.py" in text


def test_a_prefix_has_one_schema() -> None:
    text = problem("uploads/a/=shipment", "uploads/b/=shipment", "uploads/a/=shipment", "uploads/a/=nosuch")

    assert "[2] = 'uploads/a/=shipment': the prefix uploads/a/ has its schema in recordTypes[0] already" in text
    assert "[3] = 'uploads/a/=nosuch': the prefix uploads/a/ has its schema in recordTypes[0] already" in text
    assert "[3] = 'uploads/a/=nosuch': there is no file" in text, "all problems are named at once"


def test_nothing_is_declared_with_a_schema_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object, **_options: object) -> NoReturn:
        raise AssertionError("the pipeline is declared")

    monkeypatch.setattr(Pipeline, "__init__", never)

    with pytest.raises(SettingsError, match="there is no file"):
        declare("dev", preview=True, overrides={"recordTypes": ["uploads/a/=nosuch"]})


def test_a_name_that_results_cannot_have_is_refused() -> None:
    assert "it should have 1 to 64 lower-case letters" in problem(f"uploads/things/={'x' * 65}")
