"""The arguments of the package's component as source, and the schema that Pulumi makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.docs.settings import Kind, Setting, settings

ARGUMENTS: Final = Path(__file__).resolve().parents[2] / "package" / "arguments.py"

TAGS: Final = frozenset({"owner", "cost_center", "backup", "tags"})
"""Settings of the stack's own AWS provider. A program that uses the package has a provider, and tags, of its own."""

_TYPES: Final[Mapping[Kind, str]] = {"array": "list[str]", "boolean": "bool", "integer": "int", "string": "str"}

# Pulumi's analyzer reads what is written. It takes no annotation that is a text, hence no `from __future__` in it;
# it finds a description only as a text below its field.
_HEAD: Final = '''"""The arguments of the package's component: made by `make docs` from the settings."""

from typing import NotRequired, TypedDict


class FilePipelineArgs(TypedDict):
    """What a pipeline is set to. Each is plain: it is checked before any resource is declared."""

'''


def arguments_source() -> str:
    """Return package/arguments.py."""
    return _HEAD + "".join(_field(setting) for setting in settings() if setting.name not in TAGS)


def _field(setting: Setting) -> str:
    return f'''\
    {setting.name}: NotRequired[{_TYPES[setting.kind]}]
    """{setting.description} Default: {json.dumps(setting.default)}."""
'''


def package_schema() -> str:
    """Return package/schema.json: what programs in other languages see."""
    from package.provider import schema  # noqa: PLC0415 - it imports arguments.py, which may be written first

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def outputs_table() -> str:
    """Return the table of every output, as the package describes them."""
    from package.provider import TOKEN, schema  # noqa: PLC0415 - the same

    outputs = schema()["resources"][TOKEN]["properties"]
    lines = ["| output | |", "|---|---|", *(f"| `{key}` | {entry['description']} |" for key, entry in outputs.items())]
    return "\n".join(lines) + "\n"
