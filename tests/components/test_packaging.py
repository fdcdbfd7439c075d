"""Archives: same input, same bytes; nothing in them that does not belong; handlers import from them alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.packaging import (
    MAX_UNZIPPED_BYTES,
    PackagingError,
    build_function,
    build_layer,
)
from components.pipeline import BUILD, FUNCTIONS
from local.stack_config import ROOT
from tests.conftest import declare
from tests.declared_stack import DeclaredStack

SOURCE = ROOT / "lambda_src"
RUNTIME_PACKAGES = ("boto3", "botocore", "jmespath", "s3transfer", "dateutil", "six", "urllib3")


@pytest.fixture(scope="module")
def lambda_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(build_layer(SOURCE, tmp_path_factory.mktemp("build"), "lambda").path)


def test_code_built_in_two_folders_has_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(SOURCE, copy)
    (copy / "ingest" / "__pycache__").mkdir(exist_ok=True)
    (copy / "ingest" / "__pycache__" / "left.cpython-313.pyc").write_bytes(b"byte code")
    for path in copy.rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (0, 0))

    here, there = build_function(SOURCE, "ingest", tmp_path / "a"), build_function(copy, "ingest", tmp_path / "b")

    assert Path(here.path).read_bytes() == Path(there.path).read_bytes()
    assert here.sha256_base64 == there.sha256_base64


@pytest.mark.slow
def test_nothing_is_compressed(lambda_layer: Path, tmp_path: Path) -> None:
    """Two builds of zlib may make different bytes of one file: a laptop's and the deployment's would take turns."""
    for path in (lambda_layer, Path(build_function(SOURCE, "ingest", tmp_path).path)):
        with zipfile.ZipFile(path) as archive:
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.slow
def test_the_layer_built_twice_has_the_same_bytes(lambda_layer: Path, tmp_path: Path) -> None:
    again = build_layer(SOURCE, tmp_path, "lambda")

    assert Path(again.path).read_bytes() == lambda_layer.read_bytes()
    assert Path(again.path).name == lambda_layer.name


def test_nothing_is_built_again_when_nothing_changed(tmp_path: Path) -> None:
    first = build_function(SOURCE, "ingest", tmp_path)
    built = Path(first.path).stat()

    second = build_function(SOURCE, "ingest", tmp_path)

    assert second == first
    assert (Path(second.path).stat().st_ino, Path(second.path).stat().st_mtime_ns) == (built.st_ino, built.st_mtime_ns)


def test_builds_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    """Tests run in several processes, and so may previews."""
    together = threading.Barrier(4)

    def build(_: int) -> bytes:
        together.wait()
        return Path(build_function(SOURCE, "ingest", tmp_path).path).read_bytes()

    with ThreadPoolExecutor(4) as pool:
        built = set(pool.map(build, range(4)))

    assert len(built) == 1
    (archive,) = tmp_path.iterdir()
    assert archive.suffix == ".zip"


def test_changed_code_is_another_archive(tmp_path: Path) -> None:
    copy = tmp_path / "changed"
    shutil.copytree(SOURCE, copy)
    (copy / "shared" / "clients.py").write_text("# changed\n")

    assert build_function(copy, "ingest", tmp_path).path != build_function(SOURCE, "ingest", tmp_path).path


def test_the_code_holds_its_own_package_and_the_shared_one(tmp_path: Path) -> None:
    names = zipfile.ZipFile(build_function(SOURCE, "ingest", tmp_path).path).namelist()

    assert {name.split("/")[0] for name in names} == {"ingest", "shared"}
    assert all(name.endswith(".py") for name in names)
    assert names == sorted(names)


@pytest.mark.slow
def test_the_layer_is_for_lambda_small_and_without_what_the_runtime_brings(lambda_layer: Path) -> None:
    with zipfile.ZipFile(lambda_layer) as archive:
        names = archive.namelist()
        size = sum(entry.file_size for entry in archive.infolist())
    packages = {name.split("/")[1] for name in names}

    assert all(name.startswith("python/") for name in names)
    assert not packages.intersection(RUNTIME_PACKAGES)
    assert {"aws_lambda_powertools", "aws_xray_sdk"} <= packages
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
    binaries = [name for name in names if name.endswith(".so")]
    assert binaries
    assert all("cpython-313-aarch64-linux" in name for name in binaries)
    assert size < MAX_UNZIPPED_BYTES / 10


def test_a_function_without_handler_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="no handler for function 'nosuch'"):
        build_function(SOURCE, "nosuch", tmp_path)


def test_a_package_that_is_not_as_locked_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "source")
    locked = tmp_path / "source" / "requirements.txt"
    locked.write_text("typing-extensions==4.16.0 --hash=sha256:" + "0" * 64 + "\n")

    with pytest.raises(PackagingError, match="HASHES"):
        build_layer(tmp_path / "source", tmp_path / "build", "host")

    assert list((tmp_path / "build").glob("*")) == []


def test_schemas_of_ones_own_are_packed_with_ours(tmp_path: Path) -> None:
    archive = build_function(SOURCE, "ingest", tmp_path, ROOT / "tests" / "stages" / "schemas")

    names = set(zipfile.ZipFile(archive.path).namelist())
    assert {f"shared/records/schemas/{name}.py" for name in ("__init__", "shipment", "parcel")} <= names
    assert archive.path != build_function(SOURCE, "ingest", tmp_path).path


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a function finds beside its code: the layer, and boto3 with what it depends on."""
    folder = tmp_path_factory.mktemp("runtime")
    zipfile.ZipFile(build_layer(SOURCE, BUILD, "host").path).extractall(folder)
    for package in RUNTIME_PACKAGES:
        (found,) = {path for entry in sys.path for path in Path(entry).glob(f"{package}*") if path.stem == package}
        (folder / "python" / found.name).symlink_to(found)
    return folder / "python"


@pytest.mark.parametrize("purpose", FUNCTIONS)
def test_every_handler_imports_from_the_archives_and_boto3_alone(
    tmp_path: Path, everything: DeclaredStack, runtime: Path, purpose: str
) -> None:
    """As in Lambda, and nothing else of this environment."""
    code = tmp_path / "code"
    zipfile.ZipFile(build_function(SOURCE, purpose, tmp_path).path).extractall(code)
    function = everything.one("Function", f"-{purpose}")
    variables = function.part("environment")["variables"]
    assert isinstance(variables, dict)

    module = function.text("handler").rpartition(".")[0]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", _IMPORT, str(code), str(runtime), module],
        # Lambda itself sets both.
        env={
            **{name: str(value) for name, value in variables.items()},
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "function"


def test_no_handler_is_left_out(everything: DeclaredStack) -> None:
    assert {function.text("handler") for function in everything.all("Function")} == {
        f"{folder.parent.name}.handler.handler" for folder in SOURCE.glob("*/handler.py")
    }


@pytest.fixture(scope="module")
def everything() -> DeclaredStack:
    """A stack with every function."""
    return declare("dev", overrides={"deliveryEndpoint": "https://receiver.example.com/files"})


_IMPORT = """
import importlib, sys
sys.path += sys.argv[1:3]
print(type(importlib.import_module(sys.argv[3]).handler).__name__)
"""


def test_an_archive_under_the_working_directory_has_a_path_that_is_the_same_in_every_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Path(build_function(SOURCE, "ingest", tmp_path / "build").path).parent == Path("build")


def test_an_archive_elsewhere_has_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.mkdir()
    monkeypatch.chdir(program)

    assert Path(build_function(SOURCE, "ingest", tmp_path / "build").path).is_absolute()
