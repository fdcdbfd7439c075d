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
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from benchmarks.files import FORMATS, Hostile, hostile, write_file
from benchmarks.measure import NO_OUTPUT, Measured, Result
from policy.resource_types import Type
from tools.docs.permissions import declared

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "RESULTS.md"
_MB: Final = 1_000_000
_SPEED_BYTES: Final = 200 * _MB
_SPEED_RUNS: Final = 2
_MEMORY_BYTES: Final = (10 * _MB, 200 * _MB, 1000 * _MB)
_COLD_RUNS: Final = 5
_HOSTILE_BYTES: Final = (1 * _MB, 2 * _MB, 4 * _MB)

_HOSTILE_RUNS: Final = 2
_HOSTILE_SECONDS: Final = 120
_SHOWN_REASON: Final = 60
_LEVELS: Final = ("9", "6")
"""Of gzip, the plain way: its default, and zlib's."""

_CLIENTS: Final = {
    "ingest": ("s3", "dynamodb"),
    "api, a record": ("s3", "dynamodb"),
    "forward": ("sqs",),
    "delivery": ("secretsmanager",),
}
FIRST_REQUESTS: Final = {
    "ingest": "from ingest import handler",  # makes both
    "api, a record": "from api import handler\nhandler._records()\nhandler.clients.s3()",
    "forward": "import forward.handler",  # makes it
    "delivery": "from delivery import handler\nhandler.clients.secretsmanager()",
}


_REGION: Final = "eu-central-1"
_AWS: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": _REGION,
}


class UnexpectedError(Exception):
    """What was measured is not what was meant to be."""


def measure(way: str, kind: str, path: Path, output: str = NO_OUTPUT) -> Measured:
    """Measure one way on one file, in a process of its own."""
    return Measured(**json.loads(_python("-m", "benchmarks.measure", way, kind, str(path), output)))


def speed(folder: Path, progress: Progress) -> list[str]:
    """Compare the speeds, by format, with results written or not, from plain and gzipped input."""
    titles = (
        "format", "gzip in", "results out", "plain, MB/s", "streaming, MB/s", "ratio", "ratio, plain at gzip level 6",
        "plain, peak", "streaming, peak",
    )  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---|---|---|---:|---:|---:|---:|---:|---:|"]
    written = {}
    cases = [(kind, zipped, output) for kind in FORMATS for zipped in (False, True) for output in (False, True)]
    for kind, zipped, output in progress.track(cases, description=f"Speed, 200 MB, {_SPEED_RUNS} times"):
        path = folder / f"{kind}.{'gz' if zipped else 'raw'}"
        if not path.exists():
            write_file(path, kind, _SPEED_BYTES, zipped=zipped)
        levels = _LEVELS if output else (NO_OUTPUT,)
        ways = [("stream", levels[0]), *(("whole", level) for level in levels)]
        # In turns, and the best of each: whatever else the machine does slows all.
        runs = [[measure(way, kind, path, level) for way, level in ways] for _ in range(_SPEED_RUNS)]
        stream, whole, *others = (min(way, key=lambda run: run.seconds) for way in zip(*runs, strict=True))
        counts = {(each.valid, each.rejected) for run in runs for each in run}
        if len(counts) > 1:
            raise UnexpectedError(f"{kind}: valid and rejected records differ: {counts}")
        rates = [_SPEED_BYTES / _MB / each.seconds for each in (whole, stream)]
        other = "".join(f"{each.seconds / stream.seconds:.1f}" for each in others)
        lines.append(
            f"| {kind} | {_yes(zipped)} | {_yes(output)} | {rates[0]:.0f} | {rates[1]:.0f} | "
            f"**{rates[1] / rates[0]:.1f}** | {other} | {whole.peak / _MB:,.0f} MB | {stream.peak / _MB:,.0f} MB |"
        )
        if output:
            written[kind] = [each.written / _MB for each in (stream, whole, *others)]
    sizes = (
        f"{kind} {stream:.1f} MB streaming, {' and '.join(f'{size:.1f}' for size in whole)} MB plain"
        for kind, (stream, *whole) in written.items()
    )
    return [*lines, "", f"Results, compressed (plain at level {' and '.join(_LEVELS)}): {'; '.join(sizes)}."]


def memory(folder: Path, progress: Progress) -> list[str]:
    """Show that memory does not grow with the file: the whole process, boto3 and its clients included."""
    lines = ["| format | 10 MB | 200 MB | 1 GB |", "|---|---:|---:|---:|"]
    for kind in progress.track(FORMATS, description="Memory up to 1 GB"):
        peaks = []
        for size in _MEMORY_BYTES:
            path = folder / "memory"
            write_file(path, kind, size, zipped=False)
            peaks.append(measure("stream", kind, path, _LEVELS[0]).peak)
        lines.append(f"| {kind} | " + " | ".join(f"{peak / _MB:.0f} MB" for peak in peaks) + " |")
    return lines


def hostile_inputs(folder: Path, progress: Progress) -> list[str]:
    """Show that time grows with the size, whatever the input, and that each ends as it must."""
    lines = ["| input | 1 MB | 2 MB | 4 MB | 4 MB to 1 MB | outcome at 4 MB |", "|---|---:|---:|---:|---:|---|"]
    by_size = [hostile(size) for size in _HOSTILE_BYTES]
    path = folder / "hostile"
    problems = []
    for name in progress.track(list(by_size[0]), description="Hostile input"):
        inputs = [inputs[name] for inputs in by_size]
        times, outcome = [], ""
        for each in inputs:
            path.write_bytes(each.body)
            try:
                runs = [measure("hostile", "", path) for _ in range(_HOSTILE_RUNS)]
            except subprocess.TimeoutExpired:
                problems.append(f"{name}, {len(each.body)} bytes: not read within {_HOSTILE_SECONDS} s")
                break
            times.append(min(run.seconds for run in runs))
            outcome = describe(runs[0])
            if not is_expected(runs[0], each):
                problems.append(f"{name}, {len(each.body)} bytes: {outcome}")
        else:
            per_byte = (times[-1] / len(inputs[-1].body)) / (times[0] / len(inputs[0].body))
            cells = [*(f"{t * 1000:.0f} ms" for t in times), f"{4 * per_byte:.1f} times", outcome]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if problems:
        raise UnexpectedError("\n".join(problems))
    return lines


def is_expected(outcome: Result, made: Hostile) -> bool:
    """Tell whether a hostile input ended as it must."""
    if made.whole_rejected:
        return bool(outcome.reason)
    return not outcome.reason and (outcome.valid, outcome.rejected) == (made.valid, made.rejected)


def describe(outcome: Result) -> str:
    """Return an outcome in a few words, fit for a table's cell."""
    if outcome.reason:
        reason = outcome.reason.replace("|", "\\|")
        return f"file rejected: {reason[:_SHOWN_REASON]}{'…' if len(reason) > _SHOWN_REASON else ''}"
    counts = {"valid": outcome.valid, "rejected": outcome.rejected}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "no records"


def cold_start(_folder: Path, progress: Progress) -> list[str]:
    """Compare what is loaded and made up to a first request with boto3 and the same clients alone."""
    lines = [
        "| function | clients | imports and clients, ms | boto3 and these clients alone, ms | ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for name, statement in progress.track(list(FIRST_REQUESTS.items()), description="Cold start"):
        clients = _CLIENTS[name]
        baseline = f"import boto3\nfor name in {clients!r}: boto3.client(name)"
        function = name.partition(",")[0]
        pairs = [(_time_python(statement, function), _time_python(baseline, function)) for _ in range(_COLD_RUNS)]
        own, base = (statistics.median(times) for times in zip(*pairs, strict=True))
        lines.append(f"| {name} | {', '.join(clients)} | {own * 1000:.0f} | {base * 1000:.0f} | {own / base:.2f} |")
    return lines


def _time_python(statement: str, function: str) -> float:
    start = time.perf_counter()
    run_first_request(statement, function)
    total = time.perf_counter() - start
    start = time.perf_counter()
    _python("-c", "")
    return total - (time.perf_counter() - start)


def run_first_request(statement: str, function: str) -> None:
    """Run what a function does up to a first request; raises UnexpectedError if it cannot."""
    _python("-c", statement, function=function)


def _python(*arguments: str, function: str = "") -> str:
    """Run our own interpreter, as the function's of this name where one is given; return what it prints."""
    variables = {**os.environ, **_AWS, "PYTHONPATH": str(ROOT / "lambda_src")}
    if function:
        variables |= environment(function)
    limit = _HOSTILE_SECONDS if "hostile" in arguments else None
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=limit,
    )  # fmt: skip
    if done.returncode:
        raise UnexpectedError(f"{' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def environment(function: str) -> dict[str, str]:
    """Return what a function is given: only the names count here."""
    (variables,) = (
        inputs["environment"]["variables"]  # type: ignore[index]  # as pulumi-aws has it
        for kind, name, inputs in declared()
        if (kind, name) == (Type.FUNCTION, function)
    )
    own = {name: str(value) for name, value in variables.items()}
    return {**own, "AWS_REGION": _REGION}


def _yes(flag: bool) -> str:  # noqa: FBT001 - what it is about
    return "yes" if flag else ""


def main() -> None:
    """Measure what is asked for, or everything; print it, and write it in the place of what was measured before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[[], *_PARTS], help="what to measure (default: everything)")
    chosen: list[str] = parser.parse_args().parts or list(_PARTS)
    console = Console()
    before = dict(zip(_PARTS, RESULTS.read_text().rstrip("\n").split("\n\n**"), strict=True))
    measured: dict[str, list[str]] = {}
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Progress(console=console, transient=True) as progress:
        for part in chosen:
            try:
                measured[part] = _PARTS[part](Path(name), progress)
            except UnexpectedError as error:  # the other parts are not lost for it
                problems.append(f"{part}: {error}")
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
    console.print(f"written to {RESULTS.relative_to(ROOT)}; `make docs` puts it into docs/benchmarks.md")
    if problems:
        sys.exit("not as expected, and not written:\n" + "\n".join(problems))


_PARTS: Final[Mapping[str, Callable[[Path, Progress], list[str]]]] = {
    "speed": speed,
    "memory": memory,
    "hostile": hostile_inputs,
    "cold": cold_start,
}
_TITLES: Final = {
    "speed": "Speed, 200 MB of shipments with 1 % bad ones, one core, best of two",
    "memory": "Peak memory of the whole process, results written",
    "hostile": "Hostile input: time against size, best of two; the outcome is checked at each size",
    "cold": "Cold start: a function's imports and the clients of its first request, median of five, "
    "less the start of Python itself",
}

if __name__ == "__main__":
    main()
