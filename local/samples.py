"""The sample files, and how each must end on the stage ``local``."""

from __future__ import annotations

import csv
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.stack_config import ROOT

SAMPLES: Final = ROOT / "samples"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A sample file.

    Parameters
    ----------
    key
        Its key in the bucket, which is its path below the samples.
    path
        Where it is.
    content_type
        Its media type.
    status, reason
        How it must end.
    """

    key: str
    path: Path
    content_type: str
    status: str
    reason: str


def read_samples() -> Sequence[Sample]:
    """Read the list of samples, and check that it names exactly the files that are there.

    Raises
    ------
    ValueError
        If a file is not listed, or a listed one is not there.
    """
    with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as file:
        samples = [
            Sample(
                key=row["key"],
                path=SAMPLES / row["key"],
                content_type=mimetypes.guess_type(row["key"])[0] or "application/octet-stream",
                status=row["status"],
                reason=row["reason"],
            )
            for row in csv.DictReader(file)
        ]
    files = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("uploads/**/*") if path.is_file()}
    listed = {sample.key for sample in samples}
    if files != listed:
        raise ValueError(f"samples/expected.csv and the files differ in {sorted(files ^ listed)}")
    return samples
