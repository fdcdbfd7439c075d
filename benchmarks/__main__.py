"""``make bench``: measures, prints it, and writes it as Markdown; each table in one run."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from benchmarks.files import FORMATS, hostile, write_file

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "RESULTS.md"
_MB: Final = 1_000_000
_SPEED_BYTES: Final = 200 * _MB
_SPEED_RUNS: Final = 2
_MEMORY_BYTES: Final = (10 * _MB, 200 * _MB, 1000 * _MB)
_COLD_RUNS: Final = 5
_HOSTILE_BYTES: Final = (1 * _MB, 2 * _MB, 4 * _MB)

_BASELINE: Final = "import boto3\nfor name in ('s3', 'dynamodb', 'sqs'): boto3.client(name, region_name='eu-central-1')"
_HANDLERS: Final = {
    "ingest": "import ingest.handler",
    "api": "import api.handler",
    "delivery": "import delivery.handler",
}


@dataclass(frozen=True)
class Measured:
    """What one process took."""

    seconds: float
    peak: int
    valid: int


def measure(way: str, kind: str, path: Path, *, output: bool) -> Measured:
    """Measure one way on one file, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.measure", way, kind, str(path), "output" if output else "none"]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=True)  # noqa: S603
    return Measured(**json.loads(done.stdout))


def speed(folder: Path, progress: Progress) -> list[str]:
    """Compare the speeds, by format, with results written or not, from plain and gzipped input."""
    lines = [
        "| format | gzip in | results out | plain, MB/s | streaming, MB/s | ratio | plain, peak | streaming, peak |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    cases = [(kind, zipped, output) for kind in FORMATS for zipped in (False, True) for output in (False, True)]
    for kind, zipped, output in progress.track(cases, description=f"Speed, 200 MB, {_SPEED_RUNS} times"):
        path = folder / f"{kind}.{'gz' if zipped else 'raw'}"
        if not path.exists():
            write_file(path, kind, _SPEED_BYTES, zipped=zipped)
        # In turns, and the best of each: whatever else the machine does slows both.
        runs = [[measure(way, kind, path, output=output) for way in ("whole", "stream")] for _ in range(_SPEED_RUNS)]
        whole, stream = (min(way, key=lambda run: run.seconds) for way in zip(*runs, strict=True))
        if whole.valid != stream.valid:
            raise ValueError(f"{kind}: {whole.valid} and {stream.valid} valid records")
        rates = [_SPEED_BYTES / _MB / each.seconds for each in (whole, stream)]
        lines.append(
            f"| {kind} | {_yes(zipped)} | {_yes(output)} | {rates[0]:.0f} | {rates[1]:.0f} | "
            f"**{rates[1] / rates[0]:.1f}** | {whole.peak / _MB:,.0f} MB | {stream.peak / _MB:,.0f} MB |"
        )
    return lines


def memory(folder: Path, progress: Progress) -> list[str]:
    """Show that memory does not grow with the file: the whole process, boto3 and its clients included."""
    lines = ["| format | 10 MB | 200 MB | 1 GB |", "|---|---:|---:|---:|"]
    for kind in progress.track(FORMATS, description="Memory up to 1 GB"):
        peaks = []
        for size in _MEMORY_BYTES:
            path = folder / "memory"
            write_file(path, kind, size, zipped=False)
            peaks.append(measure("stream", kind, path, output=True).peak)
        lines.append(f"| {kind} | " + " | ".join(f"{peak / _MB:.0f} MB" for peak in peaks) + " |")
    return lines


def hostile_inputs(folder: Path, progress: Progress) -> list[str]:
    """Show that time grows with the size, whatever the input: twice the bytes, twice the time."""
    lines = ["| input | 1 MB | 2 MB | 4 MB | 4 MB to 1 MB |", "|---|---:|---:|---:|---:|"]
    inputs = {name: [hostile(size)[name] for size in _HOSTILE_BYTES] for name in hostile(_MB)}
    for name, bodies in progress.track(list(inputs.items()), description="Hostile input"):
        times = []
        for body in bodies:
            path = folder / "hostile"
            path.write_bytes(body)
            times.append(_time_parse(path))
        per_byte = (times[-1] / len(bodies[-1])) / (times[0] / len(bodies[0]))
        lines.append(
            f"| {name} | " + " | ".join(f"{t * 1000:.0f} ms" for t in times) + f" | {4 * per_byte:.1f} times |"
        )
    return lines


def cold_start(_folder: Path, progress: Progress) -> list[str]:
    """Compare what a cold start imports with boto3 and three clients alone."""
    lines = ["| function | imports, ms | boto3 and three clients, ms | ratio |", "|---|---:|---:|---:|"]
    for name, statement in progress.track(list(_HANDLERS.items()), description="Cold start"):
        pairs = [(_time_python(statement), _time_python(_BASELINE)) for _ in range(_COLD_RUNS)]
        own, base = (statistics.median(times) for times in zip(*pairs, strict=True))
        lines.append(f"| {name} | {own * 1000:.0f} | {base * 1000:.0f} | {own / base:.2f} |")
    return lines


def _time_parse(path: Path) -> float:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom shared.records.batch import FileRejectedError\n"
        "from shared.records.parse import load_schema, parse\nschema = load_schema('shipment')\n"
        f"body = Path({str(path)!r}).read_bytes()\nstart = time.perf_counter()\ntry:\n"
        "    chunks = (body[i:i + 262144] for i in range(0, len(body), 262144))\n"
        "    for batch in parse(chunks, schema, max_bytes=1 << 40): pass\n"
        "except FileRejectedError: pass\nprint(time.perf_counter() - start)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], cwd=ROOT, env=_environment(), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _time_python(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=_environment(), check=True)  # noqa: S603
    total = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], cwd=ROOT, env=_environment(), check=True)
    return total - (time.perf_counter() - start)


def _environment() -> dict[str, str]:
    """Return what a function is given: only the names count here."""
    variables = {
        "BUCKET_NAME": "bucket", "DEAD_LETTER_QUEUE_URL": "queue", "CATALOG_TABLE_NAME": "table", "STAGE": "bench",
        "UPLOADS_PREFIX": "uploads/", "PROCESSED_PREFIX": "processed/", "REJECTED_PREFIX": "rejected/",
        "TIME_RESERVE_SECONDS": "10", "INDEX_SHARDS": "8", "CATALOG_RETENTION_DAYS": "365", "MAX_OBJECT_BYTES": "1",
        "MAX_EXPANDED_BYTES": "1",
        "MAX_REJECTED_RECORDS": "1", "RECORD_BYTES_PER_SECOND": "1",
        "ALLOWED_EXTENSIONS": "[]", "REFUSED_PREFIXES": "[]",
        "RECORD_TYPES": '["uploads/shipments/=shipment"]', "POWERTOOLS_SERVICE_NAME": "ingest",
        "POWERTOOLS_METRICS_NAMESPACE": "bench", "POWERTOOLS_LOG_LEVEL": "INFO", "POWERTOOLS_TRACE_DISABLED": "true",
        "API_RESULTS_PREFIX": "processed/api/", "API_ITEMS_PREFIX": "api/", "KEY_ARN": "key", "MAX_BODY_BYTES": "1",
        "BUCKET_INDEX": "by-bucket=shard", "STATUS_INDEX": "by-status=shard", "MAX_RECORDS": "1", "LINK_SECONDS": "1",
        "READERS_GROUP": "readers", "WRITERS_GROUP": "writers", "ENDPOINT_URL": "https://host", "SECRET_ARN": "arn",
        "ENDPOINT_TIMEOUT_SECONDS": "1", "MAX_AGE_SECONDS": "1", "PATIENCE_SECONDS": "1",
        "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
    }  # fmt: skip
    return {**os.environ, **variables, "PYTHONPATH": str(ROOT / "lambda_src")}


def _yes(flag: bool) -> str:  # noqa: FBT001 - what it is about
    return "yes" if flag else ""


def main() -> None:
    """Measure what is asked for, or everything; print it, and write it in the place of what was measured before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *_PARTS], help="what to measure (default: everything)")
    chosen: list[str] = parser.parse_args().parts or list(_PARTS)
    console = Console()
    before = dict(zip(_PARTS, RESULTS.read_text().rstrip("\n").split("\n\n**"), strict=True))
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Progress(console=console, transient=True) as progress:
        measured = {part: _PARTS[part](Path(name), progress) for part in chosen}
    texts = [
        f"**{_TITLES[part]}**\n\n" + "\n".join(measured[part])
        if part in measured
        else "**" + before[part].removeprefix("**")
        for part in _PARTS
    ]
    RESULTS.write_text("\n\n".join(texts) + "\n")
    for part, lines in measured.items():
        text = f"**{_TITLES[part]}**\n\n" + "\n".join(lines) + "\n"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print(f"written to {RESULTS.relative_to(ROOT)}; `make docs` puts it into the README")


_PARTS: Final[Mapping[str, Callable[[Path, Progress], list[str]]]] = {
    "speed": speed,
    "memory": memory,
    "hostile": hostile_inputs,
    "cold": cold_start,
}
_TITLES: Final = {
    "speed": "Speed, 200 MB of shipments with 1 % bad ones, one core, best of two",
    "memory": "Peak memory of the whole process, results written",
    "hostile": "Hostile input: time against size",
    "cold": "Cold start",
}

if __name__ == "__main__":
    main()
