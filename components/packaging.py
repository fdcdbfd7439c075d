"""The archives that Lambda runs: the code of each function, and the layer of third-party packages.

Same input, same bytes: entries are sorted, dated 1980, not compressed, and stripped of all that differs from machine to
machine, so a second preview shows no change. An archive's file name carries the hash of its input: what is there is
not built again.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pulumi

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"

MAX_UNZIPPED_BYTES = 250 * 1024**2
"""Function and layers together, unzipped (Lambda quotas, Deployment package size)."""

LAYER_REQUIREMENTS = Path("requirements.txt")
SHARED_PACKAGE = "shared"
SCHEMAS_PACKAGE = "shared/records/schemas"

_PYTHON_VERSION = RUNTIME.removeprefix("python")
# The runtime stands on Amazon Linux 2023 with glibc 2.34; pip takes no older wheel unless it is named.
_LAMBDA_PLATFORMS = tuple(f"manylinux_2_{minor}_aarch64" for minor in range(34, 16, -1))
# Not compressed: every build of zlib would make other bytes of it. What is unzipped is a tenth of what Lambda takes.
_FORMAT: Final = b"zip, stored"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold
_FILE_MODE = 0o100644 << 16
# RECORD lists what pip installed where, byte code included: it differs from machine to machine.
_LEFT_OUT_FOLDERS = frozenset({"__pycache__", "bin", "tests"})
_LEFT_OUT_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})

Platform = Literal["lambda", "host"]


class PackagingError(pulumi.RunError):
    """An archive cannot be built. The message says which, and why."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A zip file for Lambda.

    Parameters
    ----------
    path
        Where it is: relative to the working directory if it lies under it, otherwise absolute.
    unzipped_bytes
        The size of its contents.
    sha256_base64
        The hash of the file, as Lambda gives it.
    """

    path: str
    unzipped_bytes: int
    sha256_base64: str


def build_archives(
    source: Path, build: Path, purposes: Iterable[str], platform: Platform, schemas: Path | None
) -> tuple[Archive, dict[str, Archive]]:
    """Build the layer and the code of each function, by purpose, and say how large they are.

    Parameters
    ----------
    source, build, platform, schemas
        As `build_layer` and `build_function` take them.
    purposes
        The functions.

    Raises
    ------
    PackagingError
        As `build_layer` and `build_function`.
    """
    layer = build_layer(source, build, platform)
    codes = {purpose: build_function(source, purpose, build, schemas) for purpose in purposes}
    for purpose, code in codes.items():
        size = layer.unzipped_bytes + code.unzipped_bytes
        pulumi.log.info(
            f"{purpose} unzipped: {code.unzipped_bytes / 1024:,.0f} KiB of code and "
            f"{layer.unzipped_bytes / 1024**2:.1f} MiB of layer, {size / MAX_UNZIPPED_BYTES:.1%} of Lambda's limit"
        )
    return layer, codes


def build_function(source: Path, purpose: str, build: Path, schemas: Path | None = None) -> Archive:
    """Zip the code of one function: its own package and the shared one.

    Parameters
    ----------
    source
        The folder of all function packages.
    purpose
        The function's own package.
    build
        Where archives are kept.
    schemas
        A folder whose schemas are packed with those of the shared package. None: no others.

    Raises
    ------
    PackagingError
        If the function has no handler.
    """
    if not (source / purpose / "handler.py").is_file():
        raise PackagingError(f"no handler for function {purpose!r}: {source / purpose / 'handler.py'} is missing")
    contents = {
        path.relative_to(source).as_posix(): path
        for part in (purpose, SHARED_PACKAGE)
        for path in _files(source / part)
    }
    for path in schema_files(schemas):
        contents[f"{SCHEMAS_PACKAGE}/{path.name}"] = path
    digest = _digest((name, path.read_bytes()) for name, path in sorted(contents.items()))
    return _archive(build / f"{purpose}-{digest}.zip", contents)


def schema_files(folder: Path | None) -> list[Path]:
    """Return the schemas in a folder: each is a file of its own."""
    return [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"] if folder else []


def build_layer(source: Path, build: Path, platform: Platform) -> Archive:
    """Install the locked packages for `platform` and zip them as a layer.

    Parameters
    ----------
    source
        The folder whose requirements.txt locks the packages with hashes.
    build
        Where archives are kept.
    platform
        ``lambda`` for Lambda's Python and architecture, wheels only; ``host`` for this interpreter.

    Raises
    ------
    PackagingError
        If pip fails; its last lines are in the message.
    """
    requirements = source / LAYER_REQUIREMENTS
    options = _pip_platform(platform)
    digest = _digest([("requirements", requirements.read_bytes()), ("options", " ".join(options).encode())])
    target = build / f"layer-{platform}-{digest}.zip"
    if target.is_file():
        return _describe(target)
    with tempfile.TemporaryDirectory(prefix="layer-") as folder:
        _pip_install(requirements, Path(folder), options)
        contents = {f"python/{path.relative_to(folder).as_posix()}": path for path in _files(Path(folder))}
        return _archive(target, contents)


def _pip_platform(platform: Platform) -> list[str]:
    if platform == "host":
        return ["--python-version", f"{sys.version_info.major}.{sys.version_info.minor}"]
    return ["--python-version", _PYTHON_VERSION, *(part for tag in _LAMBDA_PLATFORMS for part in ("--platform", tag))]


def _pip_install(requirements: Path, folder: Path, options: list[str]) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--target", str(folder)),
        *options,
        *("--requirement", str(requirements)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is ours
    if done.returncode:
        raise PackagingError(f"pip could not install {requirements} for the layer:\n{done.stderr[-2000:]}")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        left_out = path.name in _LEFT_OUT_FILES or _LEFT_OUT_FOLDERS.intersection(path.relative_to(folder).parts)
        if path.is_file() and not left_out:
            yield path


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256(_FORMAT)
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _archive(target: Path, contents: Mapping[str, Path]) -> Archive:
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
        ):
            for name, path in sorted(contents.items()):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.create_system = 3  # Unix, wherever it is built: the mode is read only then
                entry.external_attr = _FILE_MODE
                archive.writestr(entry, path.read_bytes())
        # Whole or not there: a build that is cut off leaves no half archive under the name.
        shutil.move(part.name, target)
    return _describe(target)


def _describe(path: Path) -> Archive:
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    digest = hashlib.sha256(path.read_bytes()).digest()
    # Paths stand in the state: relative where the program runs, so that every machine's and every clone's are alike.
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return Archive(path=str(shown), unzipped_bytes=unzipped, sha256_base64=base64.b64encode(digest).decode())
