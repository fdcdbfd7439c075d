"""One measurement in a process of its own: ``python -m benchmarks.measure WAY FORMAT FILE OUTPUT``; prints JSON.

OUTPUT is ``none`` or, if results are written, the gzip level of the plain way.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks import plain

NO_OUTPUT: Final = "none"
_CHUNK: Final = 256 * 1024
_READERS: Final = {"array": plain.read_array, "ndjson": plain.read_ndjson, "csv": plain.read_csv}


@dataclass(frozen=True)
class Result:
    """What came of a file: its records, the bytes of the results, or why it was rejected as a whole."""

    valid: int = 0
    rejected: int = 0
    written: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Measured(Result):
    """What that took: seconds, and the process's most bytes."""

    seconds: float = 0
    peak: int = 0


class NullBucket:
    """Takes what would be published, and counts it."""

    def __init__(self) -> None:
        self.written = 0

    def put_object(self, *, Body: bytes, **_rest: object) -> None:  # noqa: N803 - S3's names
        """Count an object."""
        self.written += len(Body)

    def create_multipart_upload(self, **_rest: object) -> dict[str, str]:
        """Begin an upload."""
        return {"UploadId": "upload"}

    def upload_part(self, *, Body: bytes, **_rest: object) -> dict[str, str]:  # noqa: N803
        """Count a part."""
        self.written += len(Body)
        return {"ETag": "part"}

    def complete_multipart_upload(self, **_rest: object) -> None:
        """End an upload."""


def prepare_stream(output: str) -> Callable[[Path], Result]:
    """Import the function's own code, make its clients, and return what reads a file with it."""
    import boto3  # noqa: PLC0415 - its memory counts, and its time does not

    from shared.records.output import OutputFile, Publisher  # noqa: PLC0415
    from shared.records.parse import parse  # noqa: PLC0415
    from shared.records.results import Origin, ResultFiles  # noqa: PLC0415
    from shared.records.schemas import load_schema  # noqa: PLC0415

    clients = [boto3.client(service, region_name="eu-central-1") for service in ("s3", "dynamodb", "sqs")]
    schema = load_schema("shipment")

    def run(path: Path) -> Result:
        bucket = NullBucket()
        publisher = Publisher(client=bucket, completion=lambda: bucket)  # type: ignore[arg-type,return-value]  # a stand-in
        processed, rejected = (OutputFile(publisher, "bucket", key, "STANDARD") for key in ("processed", "rejected"))
        origin = Origin(file=plain.FILE, version=plain.VERSION, modified=plain.MODIFIED, schema=schema)
        results = ResultFiles(processed, rejected, origin)
        valid = refused = 0
        for batch in parse(_chunks(path), schema, max_bytes=1 << 40):
            valid += len(batch.valid)
            refused += len(batch.rejected)
            if output != NO_OUTPUT:
                results.write(batch)
        if output != NO_OUTPUT:
            rejected.publish()
            processed.publish()
        return Result(valid, refused, bucket.written) if clients else Result()

    return run


def prepare_whole(kind: str, output: str) -> Callable[[Path], Result]:
    """Return what does the same the plain way."""

    def run(path: Path) -> Result:
        result = _READERS[kind](path.read_bytes())
        written = 0 if output == NO_OUTPUT else sum(map(len, plain.write(result, int(output))))
        return Result(len(result.valid), len(result.rejected), written)

    return run


def prepare_hostile() -> Callable[[Path], Result]:
    """Return what reads a file that may be rejected."""
    from shared.records.batch import FileRejectedError  # noqa: PLC0415

    read = prepare_stream(NO_OUTPUT)

    def run(path: Path) -> Result:
        try:
            return read(path)
        except FileRejectedError as error:
            return Result(reason=str(error) or "no reason")

    return run


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _peak() -> int:
    """Return the most bytes that this process held. Linux counts those of the process that started it, unless asked."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure, and print it."""
    way, kind, path, output = sys.argv[1:]
    if way == "stream":
        run = prepare_stream(output)
    else:
        run = prepare_hostile() if way == "hostile" else prepare_whole(kind, output)
    start = time.perf_counter()
    outcome = run(Path(path))
    seconds = time.perf_counter() - start
    peak = _peak()
    print(json.dumps(asdict(Measured(**asdict(outcome), seconds=seconds, peak=peak))))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
