"""The emulator's application, with six faults corrected that no setting corrects, and two faults that can be injected.

It takes every answer of a function that reads a DynamoDB stream for a success: a delivery that failed would be lost.
Here an answer with ``batchItemFailures`` counts as a failure of the whole batch, which is retried.

Its JWT authorizer asks for a user pool's keys over plain HTTP, which is refused where TLS alone is served. Here they
are handed over in the process.

Asked to stop, it closes its port and waits half a minute for idle connections, while it goes on to invoke functions
that cannot reach it. Here it saves its state between two requests, and ends.

It outlives a killed parent process. Here it ends too, and removes its folder and its functions.

It leaves two condition keys empty that our policies name. Here ``dynamodb:LeadingKeys`` holds the partition keys of the
items that a request names (not those of a query), and ``kms:EncryptionContext`` what a request to KMS says.

It asks for permissions that AWS does not know, such as ``sqs:SendMessageBatch``. Here each batch of SQS needs what its
single operation does (Service Authorization Reference, Amazon SQS).

While the file that ``FAULTS_FILE`` names is there, the functions' calls of the DynamoDB operations in it are throttled;
``THROTTLED_FILE`` gets a line for each that was. While the file that ``SLOW_FILE`` names is there, the functions wait
so many seconds for an upload that they read. While the file that ``REQUESTS_FILE`` names is there, it gets a line of
JSON for each request of a function: who called what, and the bytes of the question and of the answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias, cast
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import iam_actions
from ministack.services import apigateway, cognito, dynamodb, lambda_svc, sts

_Result: TypeAlias = dict[str, object]
_Message: TypeAlias = "dict[str, object]"
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_Application: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]
_ConditionKeys: TypeAlias = Callable[[str, str, bytes, object], "_Result"]
_IamAction: TypeAlias = Callable[[str, str, str, "_Result", bytes, "_Result"], "str | None"]
_Execute: TypeAlias = Callable[[_Result, object], _Result]

_TARGET_PREFIX: Final = "DynamoDB_20120810."
_ADMINISTRATOR: Final = "Credential=test/"
_THROTTLED: Final = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "injected",
}

_WATCH_SECONDS: Final = 1
_REMOVALS: Final = 100

_faults: Final = Path(os.environ["FAULTS_FILE"])
_throttled: Final = Path(os.environ["THROTTLED_FILE"])
_slow: Final = Path(os.environ["SLOW_FILE"])
_requests: Final = Path(os.environ["REQUESTS_FILE"])
_real_app: Final[_Application] = ministack.app
_execute: Final[_Execute] = lambda_svc._execute_function  # noqa: SLF001 - every invocation goes through it


def _execute_function(function: _Result, event: object) -> _Result:
    result = _execute(function, event)
    if _is_of_stream(event) and _failures(result.get("body")):
        return {**result, "error": True, "body": {"errorType": "Partial", "errorMessage": "records failed"}}
    return result


def _is_of_stream(event: object) -> bool:
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:dynamodb"


def _failures(body: object) -> object:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    return body.get("batchItemFailures") if isinstance(body, Mapping) else None


lambda_svc._execute_function = _execute_function  # noqa: SLF001 - the same


async def _hand_over_keys(url: str) -> object:
    """Return the key set of the user pool that `url` names: ``…/<pool id>/.well-known/jwks.json``."""
    _, _, body = cognito.well_known_jwks(url.split("/")[-3])
    keys: object = json.loads(body)
    return keys


apigateway._fetch_jwks = _hand_over_keys  # noqa: SLF001 - the same


_tag_keys: Final[_ConditionKeys] = iam_actions.request_tag_context


def _condition_keys(service: str, action: str, body: bytes, parameters: object) -> _Result:
    keys = _tag_keys(service, action, body, parameters)
    if service not in {"dynamodb", "kms"}:
        return keys
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return keys
    if service == "kms":
        context = request.get("EncryptionContext") or {}
        return {**keys, **{f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
    leading = [key for operation in (request, *_parts(request)) for key in _leading_keys(operation)]
    return {**keys, **({"dynamodb:LeadingKeys": leading} if leading else {})}


def _parts(request: dict[str, list[dict[str, dict[str, object]]]]) -> list[dict[str, object]]:
    """Return the operations of a transaction."""
    return [operation for item in request.get("TransactItems", []) for operation in item.values()]


def _leading_keys(operation: Mapping[str, object]) -> list[object]:
    """Return the value of the partition key of the item that an operation names."""
    item = operation.get("Item", operation.get("Key"))
    table = dynamodb._tables.get(operation.get("TableName"))  # noqa: SLF001 - the same
    if not isinstance(item, Mapping) or table is None:
        return []
    names = [key["AttributeName"] for key in table["KeySchema"] if key["KeyType"] == "HASH"]
    return [value for name in names if name in item for value in item[name].values()]


iam_actions.request_tag_context = _condition_keys


_iam_action: Final[_IamAction] = iam_actions.extract_iam_action


def _permission(service: str, method: str, path: str, headers: _Result, body: bytes, parameters: _Result) -> str | None:
    action = _iam_action(service, method, path, headers, body, parameters)
    return action.removesuffix("Batch") if action and service == "sqs" else action


iam_actions.extract_iam_action = _permission


async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
    """Answer a request, unless it is to be throttled; late, if it is to be slow."""
    if scope["type"] == "lifespan":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _stop)
        threading.Thread(target=_follow, args=(int(os.environ["STARTED_BY"]),), daemon=True).start()
    if scope["type"] == "http" and _is_read(scope) and _slow.is_file():
        await asyncio.sleep(float(_slow.read_text()))
    if scope["type"] == "http" and _requests.is_file() and (caller := _function_of(scope)):
        receive, send = _noted(scope, caller, receive, send)
    if scope["type"] != "http" or not _is_throttled(scope):
        await _real_app(scope, receive, send)
        return
    _note_throttled(_operation(scope))
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/x-amz-json-1.0")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(_THROTTLED).encode()})


def _stop() -> None:
    # On the loop, which answers nobody meanwhile: no function can go on, and what was answered is written down.
    ministack.save_all(ministack._build_persistence_save_dict())  # noqa: SLF001 - what its own shutdown writes
    os._exit(0)


def _follow(starter: int) -> None:
    while os.getppid() == starter:
        time.sleep(_WATCH_SECONDS)
    folder = Path(tempfile.gettempdir())
    for _ in range(_REMOVALS):  # functions that still run may write while it is being removed
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
    os.killpg(0, signal.SIGKILL)


def _is_throttled(scope: _Message) -> bool:
    operation = _operation(scope)
    if not operation or _ADMINISTRATOR in _header(scope, b"authorization") or not _faults.is_file():
        return False
    return operation in _faults.read_text().splitlines()


def _is_read(scope: _Message) -> bool:
    """Tell whether a function reads an upload."""
    path = str(scope["path"])
    return scope["method"] == "GET" and "/uploads/" in path and _ADMINISTRATOR not in _header(scope, b"authorization")


def _noted(scope: _Message, caller: str, receive: _Receive, send: _Send) -> tuple[_Receive, _Send]:
    """Note a request when its answer is complete."""
    service, operation = _credential(scope)[3], _header(scope, b"x-amz-target").rpartition(".")[2]
    asked, answered = bytearray(), 0

    async def read() -> _Message:
        message = await receive()
        asked.extend(cast("bytes", message.get("body", b"")))
        return message

    async def write(message: _Message) -> None:
        nonlocal answered
        answered += len(cast("bytes", message.get("body", b"")))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            name = operation or _s3_operation(scope)
            note = {"caller": caller, "service": service, "operation": name, "asked": len(asked), "answered": answered}
            _note_request({**note, "consistent": b'"ConsistentRead":true' in asked.replace(b" ", b"")})
        await send(message)

    return read, write


def _note_request(note: _Result) -> None:
    with _requests.open("a") as file:
        file.write(f"{json.dumps(note)}\n")


def _s3_operation(scope: _Message) -> str:
    """Name an operation of S3 by its method and its parameters, as the API reference does."""
    method, parameters = (
        str(scope["method"]),
        parse_qs(cast("bytes", scope["query_string"]).decode(), keep_blank_values=True),
    )
    named = {
        ("POST", "uploads"): "CreateMultipartUpload",
        ("PUT", "partNumber"): "UploadPart",
        ("POST", "uploadId"): "CompleteMultipartUpload",
        ("DELETE", "uploadId"): "AbortMultipartUpload",
        ("GET", "versions"): "ListObjectVersions",
    }
    found = (name for (kind, parameter), name in named.items() if kind == method and parameter in parameters)
    return next(found, f"{method.title()}Object")


def _function_of(scope: _Message) -> str:
    """Name the function that sends a request; nothing if it is no function's."""
    session = sts._sessions.get(_credential(scope)[0])  # noqa: SLF001 - the same
    return str(session["Arn"]).rpartition("/")[2] if session else ""


def _credential(scope: _Message) -> list[str]:
    """Return the parts of a request's credential: access key, day, region, service (Signature Version 4)."""
    _, _, rest = _header(scope, b"authorization").partition("Credential=")
    return [*rest.partition(",")[0].split("/"), *([""] * 4)][:4]


def _note_throttled(operation: str) -> None:
    with _throttled.open("a") as file:
        file.write(f"{operation}\n")


def _operation(scope: _Message) -> str:
    """Name the DynamoDB operation that a request asks for; of other services, none or a name that has a prefix."""
    return _header(scope, b"x-amz-target").removeprefix(_TARGET_PREFIX)


def _header(scope: _Message, name: bytes) -> str:
    given = scope["headers"]
    values: dict[bytes, bytes] = dict(given) if isinstance(given, list) else {}
    return values.get(name, b"").decode("latin-1")
