"""The packages that a deployment loads schemas with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from local.stack_config import ROOT

ONLY_OUR_PACKAGES: Final = """
import re, sys
from importlib import metadata
from pathlib import Path

root = Path(sys.argv[1])
locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", (root / "requirements.txt").read_text(), re.M)}
theirs = {
    module
    for module, names in metadata.packages_distributions().items()
    if not {re.sub(r"[-_.]+", "-", name).lower() for name in names} & (locked | {"pip", "setuptools"})
}

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in theirs:
            raise ModuleNotFoundError(f"No module named {name!r} in requirements.txt")

sys.meta_path.insert(0, Refusing())
sys.path.insert(0, str(root))
from components import pipeline, settings
from tools import schemas

types = [f"uploads/{path.stem}/={path.stem}" for path in (root / "lambda_src/shared/records/schemas").glob("[a-z]*.py")]
stack = settings.StackSettings(
    project="p", stage="s", settings=settings.Settings(record_types=types), aws=settings.AwsSettings(region="eu-west-1")
)
before = list(sys.path)
schemas.check(stack)
assert sys.path == before, "what the functions share is found by nobody else"
print(len(types), "isal" in theirs)
"""


def test_a_deployment_loads_every_schema_from_any_folder_with_its_own_packages_alone(tmp_path: Path) -> None:
    """As `pulumi up` does on a fresh clone, with the packages of requirements.txt."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", ONLY_OUR_PACKAGES, str(ROOT)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    count, _, refused = done.stdout.strip().partition(" ")
    assert (done.returncode, done.stderr) == (0, "")
    assert int(count) >= 1
    assert refused == "True", "the layer's packages are here, and none of them is looked at"


def test_a_deployment_has_the_packages_of_the_layer_at_the_same_versions() -> None:
    program, layer = (
        dict(line.split(" ")[0].split("==") for line in path.read_text().splitlines() if "==" in line)
        for path in (ROOT / "requirements.txt", ROOT / "lambda_src" / "requirements.txt")
    )

    shared = program.keys() & layer.keys()
    assert {"msgspec", "pydantic"} <= shared
    assert {name: program[name] for name in shared} == {name: layer[name] for name in shared}
