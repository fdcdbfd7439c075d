"""Write what the documents take from the code, between its markers: ``python -m docs.generate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final, Literal, NoReturn, get_args, get_origin

import yaml
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic.fields import FieldInfo

from components.settings import Settings
from docs import iam

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "lambda_src"))  # as Lambda has it

from api.openapi import openapi  # noqa: E402
from api.routes import Services, build_app  # noqa: E402

_SETTINGS: Final = ("settings: made by `make docs` from components/settings.py", "settings: end")
_FIGURES: Final = ("figures: made by `make docs` from what `make bench` wrote", "figures: end")


def project_config() -> str:
    """Return the ``config`` block of Pulumi.yaml: every setting, typed, described and defaulted."""
    block: dict[str, dict[str, object]] = {}
    for key, field in _fields():
        kind = _kind(field)
        block[key] = {
            "type": kind,
            **({"items": {"type": "string"}} if kind == "array" else {}),
            "description": _describe(field),
            "default": field.default,
        }
    return yaml.safe_dump({"config": block}, sort_keys=False, width=116, allow_unicode=True)


def settings_table() -> str:
    """Return README's table of every setting."""
    lines = ["| setting | what it does | default |", "|---|---|---|"]
    lines += [f"| `{key}` | {_describe(field)} | `{json.dumps(field.default)}` |" for key, field in _fields()]
    return "\n".join(lines) + "\n"


def generated() -> dict[Path, str]:
    """Return every file with a generated part, as it should be."""
    project, readme = ROOT / "Pulumi.yaml", ROOT / "README.md"
    text = _between(readme.read_text(), settings_table(), "<!-- {} -->", _SETTINGS)
    return {
        project: _between(project.read_text(), project_config(), "# {}", _SETTINGS),
        ROOT / "docs" / "openapi.json": json.dumps(openapi(_api()), indent=2, ensure_ascii=False) + "\n",
        ROOT / "docs" / "iam.md": iam.document(),
        readme: _between(text, (ROOT / "benchmarks" / "RESULTS.md").read_text(), "<!-- {} -->", _FIGURES),
    }


def _api() -> APIGatewayHttpResolver:
    """Return the API, with nobody to do its work: a document needs none."""

    def nobody() -> NoReturn:
        raise AssertionError("the document calls no route")

    return build_app(Services(name="api", max_records=1, records=nobody, uploads=nobody, files=nobody))


def _fields() -> list[tuple[str, FieldInfo]]:
    return [(str(field.alias), field) for field in Settings.model_fields.values()]


def _kind(field: FieldInfo) -> Literal["boolean", "integer", "array", "string"]:
    default: object = field.default
    if isinstance(default, bool):
        return "boolean"
    if isinstance(default, int):
        return "integer"
    return "array" if isinstance(default, list) else "string"


def _describe(field: FieldInfo) -> str:
    """Return the description and, from the constraints, what is allowed."""
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if get_origin(field.annotation) is Literal:
        allowed = " Allowed: " + ", ".join(str(value) for value in get_args(field.annotation)) + "."
    elif bounds:
        allowed = f" Allowed: {bounds['ge']} to {bounds['le']}." if "le" in bounds else f" At least {bounds['ge']}."
    else:
        allowed = ""
    return f"{field.description}{allowed}"


def _between(document: str, text: str, marker: str, names: tuple[str, str]) -> str:
    """Put `text` between two markers of a document."""
    start, end = (marker.format(name) for name in names)
    head, _, rest = document.partition(start)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"the markers {start!r} and {end!r} are missing")
    return f"{head}{start}\n{text}{end}{tail}"


def main() -> None:
    """Write every generated part."""
    for path, text in generated().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
