"""Gzip is read whatever its headers hold and wherever a chunk ends, with work that grows with the file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from shared.records import gunzip as gunzip_module
from shared.records.batch import FileRejectedError
from shared.records.gunzip import MAX_EMPTY_MEMBERS, gunzip
from tests.lambda_src.records.gzip_members import gzip_member

_TEXTS = st.none() | st.binary(max_size=30).map(lambda text: text.replace(b"\0", b"")) | st.just(b"n" * 3000)
_MEMBERS = st.builds(
    gzip_member,
    st.binary(max_size=200) | st.just(b"x" * 600_000),
    extra=st.none() | st.binary(max_size=30) | st.just(b"e" * 65_535),
    name=_TEXTS,
    comment=_TEXTS,
    checksum=st.booleans(),
)


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


@settings(deadline=None)
@given(
    st.lists(_MEMBERS, min_size=1, max_size=4),
    st.sampled_from([1, 7, 11, 1000, 10**6]),
    st.sampled_from([1, 13, 16 * 1024]),
    st.integers(0, 3),
)
def test_every_header_is_read_in_chunks_of_any_size(members: list[bytes], size: int, handed: int, padding: int) -> None:
    body = b"".join(members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gunzip_module, "_COMPRESSED_BYTES", handed)

        content = b"".join(gunzip(chunks(body + b"\0" * padding, size if len(body) < 10_000 else 1000)))

    assert content == gzip.decompress(body)


@pytest.mark.parametrize(
    "body",
    [
        gzip_member(b"", checksum=True),
        gzip_member(b"", extra=b"text", checksum=True),
        gzip_member(b"", name=b"text"),
        gzip_member(b"", comment=b"text", name=b"text", checksum=True),
    ],
)
def test_a_header_that_is_cut_off_is_told_as_such(body: bytes) -> None:
    for end in range(2, len(body) - len(gzip.compress(b"")) + 10):
        with pytest.raises(FileRejectedError, match=f"^gzip is cut off after {end} bytes$"):
            list(gunzip(chunks(body[:end], 5)))


def test_a_header_without_end_is_given_up() -> None:
    body = gzip_member(b"", name=b"n" * 10**7)
    taken = list[int]()

    def counted() -> Iterator[bytes]:
        for chunk in chunks(body, 100_000):
            taken.append(len(chunk))
            yield chunk

    with pytest.raises(FileRejectedError, match=r"^gzip header at byte 0 is longer than 262144 bytes$"):
        list(gunzip(counted()))

    assert sum(taken) < 500_000


@pytest.mark.parametrize("size", [1000, 10**7])
def test_members_without_content_are_read_up_to_a_limit(size: int) -> None:
    most = gzip.compress(b"") * MAX_EMPTY_MEMBERS

    assert b"".join(gunzip(chunks(most + gzip.compress(b"end"), size))) == b"end"
    with pytest.raises(FileRejectedError, match=r"^gzip has more than 10000 members without content$"):
        list(gunzip(chunks(most + gzip.compress(b"") + gzip.compress(b"end"), size)))


def test_what_a_member_leaves_is_not_copied_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of many members costs as much as many chunks of few."""
    real, handed = isal_zlib.decompressobj, list[int]()

    class Counting:
        def __init__(self, bits: int) -> None:
            self._real = real(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            handed.append(len(data))
            return self._real.decompress(data, most)

        def __getattr__(self, name: str) -> bytes | bool:
            value: bytes | bool = getattr(self._real, name)
            return value

    monkeypatch.setattr("shared.records.gunzip.isal_zlib.decompressobj", Counting)
    members = 50_000

    content = b"".join(gunzip(iter([gzip.compress(b"\n") * members])))

    assert content == b"\n" * members
    assert sum(handed) <= members * 16 * 1024
