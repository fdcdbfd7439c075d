"""What the documents take from the code, between its markers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final, NoReturn

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from bootstrap.settings import BootstrapSettings
from tools.costs.document import costs
from tools.docs import permissions, roles
from tools.docs.package import ARGUMENTS, arguments_source, outputs_table, package_schema
from tools.docs.settings import bootstrap_table, project_config, settings_table
from tools.scale.document import drawings, scale

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "lambda_src"))  # as Lambda has it

from api.openapi import openapi  # noqa: E402
from api.routes import Services, build_app  # noqa: E402

_SETTINGS: Final = ("settings: made by `make docs` from components/settings/", "settings: end")
_OUTPUTS: Final = ("outputs: made by `make docs` from package/file_pipeline.py", "outputs: end")
_BOOTSTRAP: Final = ("settings: made by `make docs` from bootstrap/settings.py", "settings: end")
_FIGURES: Final = ("figures: made by `make docs` from what `make bench` wrote", "figures: end")
_COSTS: Final = ("costs: made by `make docs` from operate/capacity/ and tools/costs/prices.json", "costs: end")
_SCALE: Final = ("scale: made by `make docs` from operate/capacity/ and tools/scale/", "scale: end")


def generated() -> dict[Path, str]:
    """Return every file with a generated part, as it should be."""
    project, docs = ROOT / "Pulumi.yaml", ROOT / "docs"
    configuration, benchmarks = docs / "configuration.md", docs / "benchmarks.md"
    text = _between(configuration.read_text(), settings_table(), "<!-- {} -->", _SETTINGS)
    own, deployment = ROOT / "bootstrap" / "Pulumi.yaml", docs / "deployment.md"
    figures = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    return {
        project: _between(project.read_text(), project_config(), "# {}", _SETTINGS),
        configuration: _between(text, outputs_table(), "<!-- {} -->", _OUTPUTS),
        benchmarks: _between(benchmarks.read_text(), figures, "<!-- {} -->", _FIGURES),
        docs / "costs.md": _between((docs / "costs.md").read_text(), costs(), "<!-- {} -->", _COSTS),
        docs / "scale.md": _between((docs / "scale.md").read_text(), scale(), "<!-- {} -->", _SCALE),
        **{docs / name: text for name, text in drawings().items()},
        docs / "openapi.json": json.dumps(openapi(_api()), indent=2, ensure_ascii=False) + "\n",
        docs / "iam.md": permissions.document() + roles.document(),
        own: _between(own.read_text(), project_config(BootstrapSettings), "# {}", _BOOTSTRAP),
        deployment: _between(deployment.read_text(), bootstrap_table(), "<!-- {} -->", _BOOTSTRAP),
        ARGUMENTS: arguments_source(),
        ARGUMENTS.with_name("schema.json"): package_schema(),
    }


def _api() -> APIGatewayHttpResolver:
    """Return the API, with nobody to do its work: a document needs none."""

    def nobody() -> NoReturn:
        raise AssertionError("the document calls no route")

    return build_app(Services(name="api", max_records=1, records=nobody, uploads=nobody, files=nobody))


def _between(document: str, text: str, marker: str, names: tuple[str, str]) -> str:
    """Put `text` between two markers of a document."""
    start, end = (marker.format(name) for name in names)
    head, _, rest = document.partition(start)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"the markers {start!r} and {end!r} are missing")
    return f"{head}{start}\n{text}{end}{tail}"
