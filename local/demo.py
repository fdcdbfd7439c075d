"""``make demo``: the whole pipeline once, on the sample files."""

from __future__ import annotations

import time
from typing import Final

from rich.console import Console

from local.files import Item, read_lines, upload, wait_for_final
from local.report import FileRow, print_files, print_limits, print_outputs, print_rejects, progress
from local.samples import Sample, read_samples
from local.stack import standing_stack

_FINAL_STATUS_SECONDS: Final = 45
_SHOWN_REJECTS: Final = 3


def run(console: Console) -> int:
    """Run the demo.

    Returns
    -------
    int
        0 if every file ended as it should, else 1.
    """
    samples = read_samples()
    started = time.monotonic()
    with standing_stack(console) as stack:
        bucket, table = stack.outputs["bucketName"], stack.outputs["tableName"]
        with progress(console) as bars:
            task = bars.add_task("Processing files", total=len(samples))
            files = {
                sample: upload(stack.cloud, bucket, sample.key, sample.path.read_bytes(), sample.content_type)
                for sample in samples
            }
            items = wait_for_final(
                stack.cloud,
                table,
                list(files.values()),
                timeout_seconds=_FINAL_STATUS_SECONDS,
                on_progress=lambda count: bars.update(task, completed=count),
            )
        rejects = {
            str(item["key"]): read_lines(stack.cloud, bucket, str(item["rejected_key"]))
            for item in items.values()
            if "rejected_key" in item
        }
    rows = [_row(sample, items.get(file)) for sample, file in files.items()]
    print_outputs(console, stack.outputs)
    print_limits(console, stack.resources)
    for key, lines in rejects.items():
        print_rejects(console, key, lines[:_SHOWN_REJECTS])
    print_files(console, rows)
    wrong = sum(not row.right for row in rows)
    verdict = f"[red]{wrong} not as it should" if wrong else "[green]each as it should"
    console.print(f"{len(rows)} files, {verdict}[/], in {time.monotonic() - started:.1f} s.")
    return 1 if wrong else 0


def _row(sample: Sample, item: Item | None) -> FileRow:
    if item is None:
        return FileRow(
            key=sample.key,
            status="none",
            reason=f"no final status after {_FINAL_STATUS_SECONDS} s",
            size="",
            records="",
            duration="",
            right=False,
        )
    status, reason = str(item["status"]), str(item.get("reason", ""))
    return FileRow(
        key=sample.key,
        status=status,
        reason=reason,
        size=f"{item['size']:,} B",
        records=f"{item['records_valid']} / {item['records_rejected']}" if "records_valid" in item else "",
        duration=f"{item['duration_ms']} ms",
        right=(status, reason) == (sample.status, sample.reason),
    )
