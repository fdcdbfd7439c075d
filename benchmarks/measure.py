"""One measurement in a process of its own: ``python -m benchmarks.measure WAY FORMAT FILE OUTPUT``; prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks import plain

_CHUNK: Final = 256 * 1024
_READERS: Final = {"array": plain.read_array, "ndjson": plain.read_ndjson, "csv": plain.read_csv}


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


def prepare_stream() -> Callable[[Path, bool], int]:
    """Import the function's own code, make its clients, and return what counts a file's valid records with it."""
    import boto3  # noqa: PLC0415 - its memory counts, and its time does not

    from shared.records.output import OutputFile, RecordEncoder  # noqa: PLC0415
    from shared.records.parse import load_schema, parse  # noqa: PLC0415

    clients = [boto3.client(service, region_name="eu-central-1") for service in ("s3", "dynamodb", "sqs")]
    schema = load_schema("shipment")

    def run(path: Path, output: bool) -> int:  # noqa: FBT001 - as the plain way's
        bucket = NullBucket()
        processed, rejected = (OutputFile(bucket, "bucket", key) for key in ("processed", "rejected"))  # type: ignore[arg-type]  # a stand-in
        encoder = RecordEncoder(schema)
        valid = 0
        for batch in parse(_chunks(path), schema, max_bytes=1 << 40):
            valid += len(batch.valid)
            if output:
                processed.write(encoder.records(batch.valid), len(batch.valid))
                if batch.rejected:
                    rejected.write(encoder.rejections(batch.rejected), len(batch.rejected))
        if output:
            rejected.publish()
            processed.publish()
        return valid if clients else 0

    return run


def prepare_whole(kind: str) -> Callable[[Path, bool], int]:
    """Return what does the same the plain way."""

    def run(path: Path, output: bool) -> int:  # noqa: FBT001
        result = _READERS[kind](path.read_bytes())
        if output:
            plain.write(result)
        return len(result.valid)

    return run


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def main() -> None:
    """Measure, and print seconds, peak memory in bytes and the number of valid records."""
    way, kind, path, output = sys.argv[1:]
    run = prepare_stream() if way == "stream" else prepare_whole(kind)
    start = time.perf_counter()
    valid = run(Path(path), output == "output")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "valid": valid}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
