"""CSV with a header: RFC 4180, with line feeds alone as well."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

import msgspec

from shared.records.batch import (
    MAX_RECORD_BYTES,
    WINDOW_BYTES,
    Batch,
    FileRejectedError,
    RecordTooLongError,
    Rejection,
    Window,
)
from shared.records.csv_cells import CellDecoder
from shared.records.decoder import UNREADABLE, bad_index, decode_items
from shared.records.ndjson import MAX_LINE_BYTES, cut_lines
from shared.records.reasons import RecordError, Rule, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

    from shared.records.source import Source

csv.field_size_limit(2 * MAX_RECORD_BYTES)

_BLANK_LINES: Final = re.compile(rb"\n{2,}")
_CUT_OFF: Final = "unexpected end of data"
_LONE_RETURN: Final = "new-line character seen in unquoted field"
_STRAY_RETURN: Final = "holds a carriage return without a line feed"


def parse_rows(source: Source, schema: type[Struct]) -> Iterator[Batch]:
    """Read the records of a CSV file.

    Empty cells are missing values; columns that the schema does not name are dropped. A block without quotes, in
    which every comma and line feed separates, is rewritten to JSON and decoded at once. The csv module reads others.

    Parameters
    ----------
    source
        The file, at its header.
    schema
        The record's struct.

    Raises
    ------
    FileRejectedError
        If the header does not name what the schema needs, a quoted field is not closed, or a record is too long.
    """
    reader = _Reader(source, schema)
    number = 1
    while (batch := reader.read(number)) is not None:
        number += batch.size
        yield batch


class _Reader:
    """Reads block after block, and knows the line that each begins at."""

    def __init__(self, source: Source, schema: type[Struct]) -> None:
        self._source = source
        self._line = 1
        self._window = Window()
        self._cells = CellDecoder(self._read_header(), schema)

    def read(self, number: int) -> Batch | None:
        """Read the next block's records, the first of which has `number`; None at the end of the file."""
        size = self._window.size
        while block := cut_lines(self._source, size):
            batch = None if b'"' in block else self._decode_plain(block, number)
            if batch is None:
                batch, rest = self._decode_quoted(block, number)
                self._source.start -= rest
                if rest == len(block):
                    if size >= MAX_LINE_BYTES:
                        raise RecordTooLongError(f"line {self._line}")
                    size *= 2
                    continue
                block = block[: len(block) - rest]
            self._line += block.count(b"\n")
            self._window.learn(len(block), batch)
            return batch
        return None

    def _read_header(self) -> list[str]:
        block = cut_lines(self._source, WINDOW_BYTES)
        text, quoted = _lines(block)
        reader = csv.reader(text, strict=True)
        problem = ""
        columns: list[str] = []
        try:
            columns = next(reader, [])
        except csv.Error as error:
            problem = str(error)
        used = "".join(quoted[: reader.line_num]).encode("utf-8", "surrogateescape")
        if _has_stray_return(_strip_end(used), problem):
            raise FileRejectedError(f"header {_STRAY_RETURN}")
        if problem:
            raise FileRejectedError(f"header cannot be read: {problem}")
        self._source.start -= len(block) - len(used)
        self._line += used.count(b"\n")
        return [column.strip() for column in columns]

    def _decode_plain(self, block: bytes, number: int) -> Batch | None:
        """Decode a block without quotes; None if it holds what JSON does not."""
        text = (block.replace(b"\r\n", b"\n") if b"\r" in block else block).strip(b"\n")
        if b"\n\n" in text:
            text = _BLANK_LINES.sub(b"\n", text)
        if not text:
            return Batch([], [])
        empty = b",," in text or b",\n" in text or b"\n," in text or text.startswith(b",") or text.endswith(b",")
        bad = None
        try:
            text.decode()
            return Batch(self._decode(text, empty=empty), [])
        except msgspec.ValidationError as error:
            bad = bad_index(error)
        except UNREADABLE:
            return None
        batch = decode_items(
            text.split(b"\n"),
            number,
            many=lambda lines: self._decode(b"\n".join(lines), empty=empty),
            # What JSON cannot hold, such as a tab, may stand in one line of a block that failed for another.
            one=self._decode_line,
            bad=bad,
        )
        return Batch(batch.valid, [self._name_cells(rejection) for rejection in batch.rejected])

    def _decode(self, text: bytes, *, empty: bool) -> list[Struct]:
        """Rewrite lines to a JSON array of arrays, which msgspec decodes and checks at the speed of C."""
        escaped = text.replace(b"\\", b"\\\\") if b"\\" in text else text
        array = b'[["' + escaped.replace(b",", b'","').replace(b"\n", b'"],["') + b'"]]'
        if empty:
            array = array.replace(b'""', b"null")
        return self._cells.decode(array)

    def _decode_line(self, line: bytes) -> Struct:
        """Decode a line without quotes."""
        text = line.decode()
        if "\r" in text:
            raise RecordError(Rule.SYNTAX, _STRAY_RETURN)
        return self._cells.convert_row(text.split(","))

    def _decode_quoted(self, block: bytes, number: int) -> tuple[Batch, int]:
        """Decode a block with the csv module: the batch, and how many bytes at its end are an unfinished record."""
        together = self._decode_quoted_together(block)
        if together is not None:
            return together
        text, lines = _lines(block)
        reader = csv.reader(text, strict=True)
        batch = Batch([], [])
        used = 0
        while True:
            try:
                cells, problem = next(reader, None), ""
            except csv.Error as error:
                cells, problem = [], str(error)
            if cells is None:
                return batch, 0
            if problem == _CUT_OFF:
                if self._source.ended and not self._source.available:
                    raise FileRejectedError(f"quoted field of the record at line {self._line + used} is not closed")
                return batch, len("".join(lines[used:]).encode("utf-8", "surrogateescape"))
            raw = _strip_end("".join(lines[used : reader.line_num]).encode("utf-8", "surrogateescape"))
            if len(raw) > MAX_RECORD_BYTES:
                raise RecordTooLongError(f"line {self._line + used}")
            used = reader.line_num
            if raw:
                self._add(batch, number + batch.size, cells, raw, problem)

    def _decode_quoted_together(self, block: bytes) -> tuple[Batch, int] | None:
        """Decode a block whose records are all valid; None if one may not be, or be too long, which has to be found."""
        if len(block) > MAX_RECORD_BYTES or block.count(b"\r") != block.count(b"\r\n"):
            return None
        text, lines = _lines(block)
        reader = csv.reader(text, strict=True)
        rows: list[list[str | None]] = []
        used = 0
        try:
            block.decode()
            for cells in reader:
                used = reader.line_num
                if cells:
                    rows.append([cell or None for cell in cells])
        except (csv.Error, UnicodeDecodeError) as error:
            if str(error) != _CUT_OFF or (self._source.ended and not self._source.available):
                return None
        try:
            records = self._cells.convert_rows(rows)
        except UNREADABLE:
            return None
        return None if records is None else (Batch(records, []), len("".join(lines[used:]).encode()))

    def _add(self, batch: Batch, number: int, cells: list[str], raw: bytes, problem: str) -> None:
        try:
            raw.decode()
            if _has_stray_return(raw, problem):
                raise RecordError(Rule.SYNTAX, _STRAY_RETURN)
            if problem:
                raise RecordError(Rule.SYNTAX, problem)
            batch.valid.append(self._cells.convert_row(cells))
        except UNREADABLE as error:
            batch.rejected.append(self._name_cells(Rejection(number, (explain(error),), raw)))

    def _name_cells(self, rejection: Rejection) -> Rejection:
        reasons = [self._cells.name_cell(reason) for reason in rejection.reasons]
        return Rejection(rejection.number, reasons, rejection.record)


def _lines(block: bytes) -> tuple[Iterator[str], list[str]]:
    """Return lines that line feeds alone end, so that the csv module sees each carriage return in its place."""
    lines = list(io.StringIO(block.decode("utf-8", "surrogateescape"), newline="\n"))
    return iter(lines), lines


def _strip_end(line: bytes) -> bytes:
    return line.removesuffix(b"\r\n") if line.endswith(b"\r\n") else line.removesuffix(b"\n")


def _has_stray_return(raw: bytes, problem: str) -> bool:
    """Tell whether a record without its end has a carriage return out of quotes: the csv module drops a last one."""
    return problem.startswith(_LONE_RETURN) or (not problem and raw.endswith(b"\r"))
