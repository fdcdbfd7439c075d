"""The environment variables that a function needs: typed, and checked when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, TypeAlias, TypeVar, get_origin

import msgspec
from msgspec import Meta, Struct

Positive: TypeAlias = Annotated[int, Meta(ge=1)]
NotNegative: TypeAlias = Annotated[int, Meta(ge=0)]

_Settings = TypeVar("_Settings", bound=Struct)


class WrongEnvironmentError(RuntimeError):
    """An environment variable is missing or unusable. The message names it."""


class FunctionSettings(Struct, frozen=True, kw_only=True):
    """What every function is given, by the stack and by Lambda; Powertools reads its variables by itself.

    Parameters
    ----------
    powertools_service_name, powertools_metrics_namespace, powertools_log_level
        The function's name in its logs, the namespace of its metrics, and what it logs.
    stage, aws_region
        Where it runs.
    detailed_tracing
        Whether its calls to AWS are traced as subsegments.
    metrics_by_version
        Whether its metrics are kept by its version too.
    """

    powertools_service_name: str
    powertools_metrics_namespace: str
    powertools_log_level: str
    stage: str
    aws_region: str
    detailed_tracing: bool
    metrics_by_version: bool


class CatalogSettings(Struct, frozen=True, kw_only=True):
    """What is needed to read and write the catalog.

    Parameters
    ----------
    catalog_table_name
        The table.
    bucket_index, status_index
        The names of its indexes.
    index_shards
        Partition keys that one bucket's or status's index entries are spread over.
    catalog_retention_days
        How long an item is kept after its last change; 0: for ever.
    stage, aws_region
        Where the files are processed: attributes of each item.
    """

    catalog_table_name: str
    bucket_index: str
    status_index: str
    index_shards: Positive
    catalog_retention_days: NotNegative
    stage: str
    aws_region: str

    @property
    def retention(self) -> timedelta | None:
        """How long an item is kept after its last change; None: for ever."""
        return timedelta(days=self.catalog_retention_days) if self.catalog_retention_days else None


def read_settings(kind: type[_Settings], variables: Mapping[str, str]) -> _Settings:
    """Read settings: each field from the variable of its name in upper case, a tuple or dictionary from JSON.

    Parameters
    ----------
    kind
        The settings. A field may be settings itself, read from the same variables.
    variables
        The environment, such as ``os.environ``.

    Raises
    ------
    WrongEnvironmentError
        If a variable is missing, empty or wrong.
    """
    return kind(
        **{field.name: _read(field.name.upper(), field.type, variables) for field in msgspec.structs.fields(kind)}
    )


def _read(name: str, kind: type, variables: Mapping[str, str]) -> object:
    if isinstance(kind, type(Struct)):
        return read_settings(kind, variables)
    text = variables.get(name, "")
    if not text:
        raise WrongEnvironmentError(f"environment variable {name} is missing; the stack sets it on the function")
    try:
        if get_origin(kind) in {tuple, dict}:
            return msgspec.json.decode(text, type=kind)
        return msgspec.convert(text, kind, strict=False)
    except msgspec.MsgspecError as error:
        message = str(error)
        raise WrongEnvironmentError(
            f"environment variable {name} = {text!r}: {message[:1].lower()}{message[1:]}"
        ) from error
