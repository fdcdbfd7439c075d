"""What the API takes and answers: the OpenAPI document is made from these."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainValidator
from pydantic_core import PydanticCustomError

from shared.catalog.model import MAX_KEY_BYTES, Status
from shared.records.reasons import Rule

MAX_CURSOR_CHARACTERS = 2048
WRONG_DATA: Final = "should be a record, or a list of at least one record"

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_EMPTY: Final = re.compile(rb"\[[ \t\r\n]*+\]")


def _read_day(text: object) -> date:
    # Pydantic would take a time stamp too, and date.fromisoformat a week.
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:  # no day of the calendar
        pass
    raise PydanticCustomError("day", "should be a day, as YYYY-MM-DD")


def _check_key(key: str) -> str:
    if len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
        raise PydanticCustomError("key", f"should have at most {MAX_KEY_BYTES} bytes")
    return key


def _read_number(text: object) -> int:
    # What is given twice arrives as a list.
    if not (isinstance(text, str) and _DIGITS.fullmatch(text)):
        raise PydanticCustomError("number", "should be a number, in decimal digits")
    return int(text)


def _read_data(text: object) -> memoryview:
    if not isinstance(text, memoryview) or _EMPTY.fullmatch(text):
        raise PydanticCustomError("data", WRONG_DATA)
    return text


Data: TypeAlias = Annotated[
    memoryview,
    PlainValidator(_read_data, json_schema_input_type=dict[str, object] | Annotated[list[object], Field(min_length=1)]),
]
"""A record or a list of records, as JSON."""

Day: TypeAlias = Annotated[date, BeforeValidator(_read_day)]
"""A day of a query string."""

Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=MAX_KEY_BYTES), AfterValidator(_check_key)]
"""An object's key, or the beginning of one, of a query string."""

PageSize: TypeAlias = Annotated[int, Field(ge=1, le=100), BeforeValidator(_read_number)]
"""How many a query string asks for; behind the validator, the bounds would not reach the document."""


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ErrorAnswer(BaseModel):
    """Why a request failed."""

    code: str = Field(description="A word for programs to act on.")
    message: str = Field(description="What is wrong, and the way out.")
    request_id: str = Field(description="Names the request in the logs.")
    errors: list[FieldError] = Field(description="What is wrong with each field, where it is the fields.")


class GatewayAnswer(BaseModel):
    """What API Gateway itself answers, before the request reaches us."""

    message: str


class Health(BaseModel):
    """That the API answers."""

    service: str
    version: str
    status: str


class RecordsRequest(BaseModel):
    """One record, or several."""

    data: Data = Field(description="A record, or a list of records.")
    record_type: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="The name of the records' schema; the stage's first, if it is not given."
    )


class RecordReason(BaseModel):
    """What is wrong with a record."""

    field: str | None = Field(description="The field; null: the record as a whole.")
    rule: Rule = Field(description="What is broken, as a word for programs.")
    text: str = Field(description="The same in words.")


class RecordResult(BaseModel):
    """Whether a record is valid."""

    number: int = Field(description="Its place in the request, from 1.")
    valid: bool
    reasons: list[RecordReason] = Field(description="What is wrong with it; none: it is valid.")


class RecordsAnswer(BaseModel):
    """What became of the records, in the order of the request."""

    id: str = Field(description="The id of the catalog item.")
    status: Status
    records_valid: int
    records_rejected: int
    results: list[RecordResult]
    s3_key: str | None = Field(
        description="The object that holds the valid records, where there are any: gzipped NDJSON."
    )


class UploadRequest(BaseModel):
    """A file that is to be uploaded."""

    name: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="Its key below uploads/, such as shipments/2026-11-20.csv."
    )
    content_type: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+$")] = Field(
        "application/octet-stream", description="Its media type."
    )


class UploadAnswer(BaseModel):
    """A form to post the file with: all fields first, the file last, as `file`."""

    url: str
    fields: dict[str, str]
    key: str
    max_bytes: int
    expires_at: str


class File(BaseModel):
    """A catalog item."""

    id: str
    path: str = Field(description="Where this file is shown: its id, safe in every path.")
    version_id: str
    status: Status
    reason: str | None
    bucket: str | None
    key: str | None
    size: int | None
    content_type: str | None
    etag: str | None
    uploaded_by: str | None
    event_time: str | None
    processed_at: str
    duration_ms: int | None
    attempt: int | None
    records_valid: int | None
    records_rejected: int | None
    processed_key: str | None
    rejected_key: str | None


class FileDetail(File):
    """A catalog item, and what belongs to it."""

    user_metadata: dict[str, str]
    versions: list[str] = Field(description="All versions with this id, the latest first.")
    rejects_url: str | None = Field(description="A link to the rejected records, gzipped NDJSON; it ends in minutes.")


class FileList(BaseModel):
    """A page of catalog items; of a prefix, it may have fewer than were asked for and a cursor all the same."""

    files: list[File]
    cursor: str | None = Field(description="To ask for the next page with; none: this is the last.")
