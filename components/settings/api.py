"""What the HTTP API accepts, and from where."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from components.settings.values import ApiOrigin, Group, check_origins

MEGABYTE = 1024**2

# What the API's function needs of its memory, measured by tests/lambda_src/api/test_memory.py in a process of its own,
# with the worst bodies that could be thought of, and rounded up: the runtime has its own share of a function's memory.
API_BASE_BYTES = 112 * MEGABYTE
"""Before a request, with its libraries and clients: 80 MB measured."""

API_BYTES_PER_BODY_BYTE = 12
"""For each byte of the body: 8 measured. A text with one emoji takes four bytes a character in Python, and stands in
memory twice while it is parsed; rejected records stand in it again, and in what is stored."""

API_BYTES_PER_RECORD = 1024
"""For each record's verdict in the answer: 650 measured."""

API_BYTES_PER_OBJECT_BYTE = 56
"""For each byte of the one record that is decoded: 52 measured. Lists in lists, where a schema has a field for them."""

API_MAX_RECORD_BYTES = MEGABYTE
"""The longest record that the functions take."""


class ApiGroup(Group):
    """What the HTTP API accepts, and from where."""

    api: bool = Field(
        default=True, description="Create the HTTP API and its user pool. false: files arrive in the bucket alone."
    )
    api_throttle_rate: int = Field(100, ge=1, le=10_000, description="Requests a second that the API takes.")
    api_throttle_burst: int = Field(200, ge=1, le=5_000, description="Requests at once that the API takes.")
    api_open_throttle_rate: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Requests a second that each route takes that asks for no token, such as /health.",
    )
    api_open_throttle_burst: int = Field(
        10, ge=1, le=5_000, description="Requests at once that each route without a token takes."
    )
    api_reserved_concurrency: int = Field(
        0,
        ge=0,
        description="Reserved concurrency of the API's function: executions that no other function of the account can "
        "use, and the most that it can. 0: none is reserved.",
    )
    api_timeout_seconds: int = Field(
        29, ge=3, le=29, description="Time-out of the API's function; an HTTP API waits 30 s at most."
    )
    api_max_body_bytes: int = Field(
        4 * 1024**2,
        ge=1024,
        le=5 * 1024**2,
        description="Largest body that the API takes, in bytes. Escaped as a JSON text it must fit into Lambda's 6 MB, "
        "and what it needs into functionMemoryMb.",
    )
    api_max_records: int = Field(10_000, ge=1, le=20_000, description="Maximum records in one request.")
    api_latency_alarm_ms: int = Field(
        5_000, ge=100, le=30_000, description="Latency of the API (p99) above which an alarm is raised, in ms."
    )
    api_cors_origins: list[ApiOrigin] = Field(
        [], description="Origins that may call the API from a browser. Empty: no CORS."
    )
    api_cors_max_age_seconds: int = Field(
        3600, ge=0, le=86400, description="Seconds a browser may cache the API's CORS answer."
    )
    upload_link_seconds: int = Field(
        900, ge=60, le=3600, description="Seconds that a link to upload with, or to rejected records, works."
    )

    @property
    def api_memory_mb(self) -> int:
        """Memory that a request may need, in MB."""
        needed = (
            API_BASE_BYTES
            + API_BYTES_PER_BODY_BYTE * self.api_max_body_bytes
            + API_BYTES_PER_RECORD * self.api_max_records
            + API_BYTES_PER_OBJECT_BYTE * min(self.api_max_body_bytes, API_MAX_RECORD_BYTES)
        )
        return math.ceil(needed / MEGABYTE)

    @model_validator(mode="after")
    def _check_api(self) -> Self:
        check_origins("apiCorsOrigins", self.api_cors_origins)
        return self
