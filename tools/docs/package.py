"""The arguments of the package's component as source, and the schema that Pulumi makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from package.provider import schema

from tools.docs.settings import Kind, settings

_TYPES: Final[Mapping[Kind, str]] = {"array": "list[str]", "boolean": "bool", "integer": "int", "string": "str"}

# Pulumi's analyzer reads this file: it takes no annotation that is a text, so there is no `from __future__` here; and it
# finds a description only as a text below its field.
_HEAD: Final = '''"""The arguments of the package's component: made by `make docs` from the settings."""

from typing import NotRequired, TypedDict


class FilePipelineArgs(TypedDict):
    """What a pipeline is set to. Each is plain: it is checked before any resource is declared."""
'''


def arguments_source() -> str:
    """Return package/arguments.py."""
    fields = [
        f"\n    {setting.name}: NotRequired[{_TYPES[setting.kind]}]\n    {_text(setting.description)}\n"
        for setting in settings()
        if setting.is_in_package
    ]
    return _HEAD + "".join(fields)


def _text(description: str) -> str:
    return f'"""{description}"""'


def package_schema() -> str:
    """Return package/schema.json: what programs in other languages see."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
