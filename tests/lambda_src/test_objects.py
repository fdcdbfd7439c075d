"""Objects are read whole, over broken connections."""

from __future__ import annotations

import io

import pytest
from botocore.exceptions import ConnectionClosedError, IncompleteReadError, ReadTimeoutError

from shared.objects import MAX_BREAKS, Objects
from tests.lambda_src.conftest import Aws, Calls
from tests.lambda_src.ingesting import uploaded


class BreakingBody(io.BytesIO):
    """A body whose connection breaks after some bytes."""

    def __init__(self, content: bytes, after: int, error: Exception) -> None:
        super().__init__(content)
        self._left = after
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(min(size or 0, self._left) if self._left else 0)
        self._left -= len(chunk)
        if not chunk:
            raise self._error
        return chunk


ERRORS = [
    ReadTimeoutError(endpoint_url="https://s3"),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ConnectionClosedError(endpoint_url="https://s3"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_dropped_connection_is_taken_up_where_it_broke(aws: Aws, calls: Calls, error: Exception) -> None:
    content = bytes(range(256)) * 40
    version = uploaded(aws, "uploads/a.csv", content)
    breaks = iter([100, 4000, 1])

    def drop(answer: dict[str, object]) -> None:
        after = next(breaks, None)
        if after:
            body = answer["Body"]
            assert hasattr(body, "read")
            answer["Body"] = BreakingBody(body.read(), after, error)

    calls.after["GetObject"] = drop
    calls.parameters.clear()

    assert b"".join(Objects(aws.s3).stream(version)) == content

    ranges = [p.get("Range") for p in calls.parameters if isinstance(p, dict) and "Key" in p]
    assert ranges == [None, "bytes=100-", "bytes=4100-", "bytes=4101-"]


def test_a_connection_that_never_gives_a_byte_ends(aws: Aws, calls: Calls) -> None:
    version = uploaded(aws, "uploads/a.csv", b"content")
    calls.after["GetObject"] = lambda answer: answer.update(Body=BreakingBody(b"", 0, ERRORS[0]))
    calls.made.clear()

    with pytest.raises(ReadTimeoutError):
        list(Objects(aws.s3).stream(version))

    assert calls.made == ["GetObject"] * (MAX_BREAKS + 1)


def test_an_empty_object_is_read(aws: Aws) -> None:
    assert list(Objects(aws.s3).stream(uploaded(aws, "uploads/a.csv", b""))) == []
