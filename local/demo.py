"""``make demo``: the whole pipeline once, on the sample files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from rich.console import Console

from local.files import Item, UploadedFile, read_lines, upload, wait_for_final
from local.receiver import Receiver, listening
from local.report import (
    DeliveryRow,
    FileRow,
    print_deliveries,
    print_files,
    print_limits,
    print_outputs,
    print_rejects,
    progress,
)
from local.samples import Sample, read_samples
from local.stack import standing_stack

_FINAL_STATUS_SECONDS: Final = 45
_DELIVERY_SECONDS: Final = 20
_POLL_SECONDS: Final = 0.05
_DELIVERED: Final = frozenset({"COMPLETED", "FAILED", "REJECTED"})
_SHOWN_REJECTS: Final = 3


def run(console: Console) -> int:
    """Run the demo.

    Returns
    -------
    int
        0 if every file ended as it should and was delivered, else 1.
    """
    samples = read_samples()
    started = time.monotonic()
    with (
        listening(Receiver) as receiver,
        standing_stack(console, overrides={"deliveryEndpoint": receiver.url}) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
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
        deliveries = _wait_for_deliveries(receiver, items)
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
    print_deliveries(console, deliveries)
    print_files(console, rows)
    missing = sum(not row.delivery_id for row in deliveries)
    wrong = sum(not row.right for row in rows)
    verdict = f"[red]{wrong} not as it should" if wrong else "[green]each as it should"
    delivered = f"[red]{missing} not delivered" if missing else f"[green]{len(deliveries)} delivered"
    console.print(f"{len(rows)} files, {verdict}[/], {delivered}[/], in {time.monotonic() - started:.1f} s.")
    return 1 if wrong or missing else 0


def _wait_for_deliveries(receiver: Receiver, items: Mapping[UploadedFile, Item]) -> list[DeliveryRow]:
    """Wait until each finished file was delivered, or the time is up; a row for each, without an id if it was not."""
    due = {(str(i["object_id"]), str(i["status"])): str(i["key"]) for i in items.values() if i["status"] in _DELIVERED}
    deadline = time.monotonic() + _DELIVERY_SECONDS
    while True:
        came = {(a.told["object_id"], a.told["status"]): a for a in list(receiver.arrivals)}
        if came.keys() >= due.keys() or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    return [
        DeliveryRow(key=key, status=change[1], delivery_id=came[change].delivery_id if change in came else "")
        for change, key in due.items()
    ]


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
