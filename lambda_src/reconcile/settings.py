"""The environment of the reconciliation's function."""

from __future__ import annotations

from shared.settings import CatalogSettings, FunctionSettings, Positive


class ReconcileSettings(FunctionSettings, frozen=True, kw_only=True):
    """The function's environment.

    Parameters
    ----------
    catalog
        The catalog.
    bucket_name, uploads_prefix
        Where uploads are.
    queue_url, queue_name
        The intake queue.
    interval_hours
        Time from the start of one search to the start of the next.
    delay_seconds
        How much older than the intake's oldest message an upload must be.
    overlap_days
        How much of what was searched before is searched again.
    time_reserve_seconds
        What an invocation keeps for itself.
    """

    catalog: CatalogSettings
    bucket_name: str
    uploads_prefix: str
    queue_url: str
    queue_name: str
    interval_hours: Positive
    delay_seconds: int
    overlap_days: Positive
    time_reserve_seconds: Positive
