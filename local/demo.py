"""``make demo``: the whole pipeline once, on the sample files, and the API with it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from local.api import ApiAnswer, ApiClient, sign_in_test_user
from local.files import Item, UploadedFile, read_lines, upload, wait_for_attempts
from local.receiver import Receiver, listening
from local.report import (
    AnswerRow,
    DeliveryRow,
    FileRow,
    print_answers,
    print_deliveries,
    print_files,
    print_limits,
    print_outputs,
    print_rejects,
    working,
)
from local.samples import Sample, read_samples
from local.stack import LocalStack, local_stack
from local.waiting import wait_for

_FINAL_STATUS_SECONDS: Final = 120
_DELIVERY_SECONDS: Final = 60
_DELIVERED: Final = frozenset({"COMPLETED", "FAILED", "REJECTED"})
_SHOWN_REJECTS: Final = 3
_SHOWN_CHARACTERS: Final = 160
_NEXT: Final = "Next: `make local` keeps the stack running until Ctrl-C, with commands to paste."
_MORE: Final = "`make demo V=1` also shows the rejected records, the deliveries, the API's answers and the outputs."
_RECORD: Final = {"shipment_id": "SHP-1", "status": "delivered", "timestamp": "2026-11-20T08:15:00+01:00"}


def run(console: Console, *, verbose: bool = False) -> int:
    """Run the demo.

    Parameters
    ----------
    console
        Where it is shown.
    verbose
        Whether everything is shown, or no more than the files and what went wrong.

    Returns
    -------
    int
        0 if every file and every request ended as it should, and every file was delivered, else 1.
    """
    samples = read_samples()
    started = time.monotonic()
    with (
        listening(Receiver) as receiver,
        local_stack(console, overrides={"deliveryEndpoint": receiver.url}, verbose=verbose) as stack,
    ):
        receiver.trust(stack.cloud, stack.outputs["secretArn"])
        files = _upload(stack, samples)
        items = _wait(console, stack, list(files.values()))
        with working(console, "Waiting for the deliveries"):
            deliveries = _wait_for_deliveries(receiver, items)
        with working(console, "Asking the API"):
            answers = _ask(stack)
        if verbose:
            print_outputs(console, stack.outputs)
            print_limits(console, stack.resources)
            for item in items.values():
                if "rejected_key" in item:
                    lines = read_lines(stack.cloud, stack.outputs["bucketName"], str(item["rejected_key"]))
                    print_rejects(console, str(item["key"]), lines[:_SHOWN_REJECTS])
    rows = [_row(sample, items.get(file)) for sample, file in files.items()]
    missing = sum(not row.delivery_id for row in deliveries)
    if verbose or missing:
        print_deliveries(console, deliveries)
    if verbose or not all(answer.right for answer in answers):
        print_answers(console, answers)
    print_files(console, rows)
    wrong = sum(not row.right for row in rows) + sum(not answer.right for answer in answers)
    console.print(
        Text.assemble(
            f"{len(rows)} files and {len(answers)} requests, ",
            (f"{wrong} not as it should", "red") if wrong else ("each as it should", "green"),
            ", ",
            (f"{missing} not delivered", "red") if missing else (f"{len(deliveries)} delivered", "green"),
            f", in {time.monotonic() - started:.1f} s.",
        )
    )
    console.print(Text(_NEXT if verbose else f"{_NEXT}\n{_MORE}"), soft_wrap=True)
    return 1 if wrong or missing else 0


def _wait_for_deliveries(receiver: Receiver, items: Mapping[UploadedFile, Item]) -> list[DeliveryRow]:
    """Wait until each finished file was delivered, or the time is up; a row for each, without an id if it was not."""
    due = {(str(i["object_id"]), str(i["status"])): str(i["key"]) for i in items.values() if i["status"] in _DELIVERED}
    arrived: dict[tuple[str, str], str] = {}

    def all_arrived() -> bool:
        arrived.update(
            {(str(a.payload["object_id"]), str(a.payload["status"])): a.delivery_id for a in list(receiver.arrivals)}
        )
        return arrived.keys() >= due.keys()

    wait_for(all_arrived, timeout_seconds=_DELIVERY_SECONDS)
    return [DeliveryRow(key=key, status=change[1], delivery_id=arrived.get(change, "")) for change, key in due.items()]


def _upload(stack: LocalStack, samples: Sequence[Sample]) -> Mapping[Sample, UploadedFile]:
    bucket = stack.outputs["bucketName"]
    return {
        sample: upload(stack.cloud, bucket, sample.key, sample.path.read_bytes(), sample.content_type)
        for sample in samples
    }


def _wait(console: Console, stack: LocalStack, files: Sequence[UploadedFile]) -> Mapping[UploadedFile, Item]:
    with working(console, "Processing files") as show:
        return wait_for_attempts(
            stack.cloud,
            stack.outputs["tableName"],
            files,
            timeout_seconds=_FINAL_STATUS_SECONDS,
            on_progress=lambda count: show(f"Processing files: {count} of {len(files)} done"),
        )


def _ask(stack: LocalStack) -> list[AnswerRow]:
    """Call every route, upload a file through the API, and wait for it."""
    client = sign_in_test_user(stack)
    rows = [
        _answer("GET /health", ApiClient(stack, "").get("/health"), 200),
        _answer("GET /files, without a token", ApiClient(stack, "").get("/files"), 401),
        _answer("POST /validate", client.post("/validate", {"data": [_RECORD, {"status": 1}]}), 200),
        _answer("POST /process", client.post("/process", {"data": [_RECORD]}), 200),
        _answer("POST /process, the same again", client.post("/process", {"data": [_RECORD]}), 200),
    ]
    form = client.post("/uploads", {"name": "shipments/through-the-api.ndjson"})
    rows.append(_answer("POST /uploads", form, 200))
    if form.status != 200:  # noqa: PLR2004
        return rows
    client.upload(form.body, json.dumps(_RECORD).encode())
    file_id = _find(client, str(form.body["key"]))
    rows.append(_answer("GET /files?limit=2", client.get("/files", limit=2), 200))
    rows.append(_answer("GET /files/{id} of the upload", client.get(f"/files/{quote(file_id, safe='')}"), 200))
    return rows


def _find(client: ApiClient, key: str) -> str:
    """Wait until the list has a file with `key`; return its id, or - if it never appears."""

    def listed() -> str | None:
        files = client.get("/files", status="COMPLETED", limit=100).body.get("files")
        return next((file["id"] for file in files if file["key"] == key), None) if isinstance(files, list) else None

    return wait_for(listed, timeout_seconds=_FINAL_STATUS_SECONDS) or "-"


def _answer(request: str, answer: ApiAnswer, expected: int) -> AnswerRow:
    text = json.dumps(answer.body, ensure_ascii=False)
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} …"
    return AnswerRow(request=request, status=answer.status, answer=shown, right=answer.status == expected)


def _row(sample: Sample, item: Item | None) -> FileRow:
    found = item or {"status": "none", "reason": f"no final status after {_FINAL_STATUS_SECONDS} s"}
    status, reason = str(found["status"]), str(found.get("reason", ""))
    return FileRow(
        key=sample.key,
        status=status,
        reason=reason,
        size=_integer(found, "size"),
        records=f"{found['records_valid']} / {found['records_rejected']}" if "records_valid" in found else "",
        duration_ms=_integer(found, "duration_ms"),
        right=(status, reason) == (sample.status, sample.reason),
    )


def _integer(item: Item, name: str) -> int | None:
    return int(str(item[name])) if name in item else None
