"""The environment of the forwarding function."""

from __future__ import annotations

from shared.settings import FunctionSettings


class ForwardSettings(FunctionSettings, frozen=True, kw_only=True):
    """The function's environment.

    Parameters
    ----------
    queue_url, dead_letter_queue_url
        The delivery queue, and its dead-letter queue.
    deliver_checks
        Whether the files that ``operate check`` uploads are delivered too.
    """

    queue_url: str
    dead_letter_queue_url: str
    deliver_checks: bool
