"""The environment of the delivery function."""

from __future__ import annotations

from shared.settings import FunctionSettings, NotNegative, Positive


class DeliverySettings(FunctionSettings, frozen=True, kw_only=True):
    """The function's environment.

    Parameters
    ----------
    endpoint_url, endpoint_timeout_seconds
        Where messages are posted, and how long an answer may take.
    forbidden_networks
        Networks that nothing is sent to, in CIDR notation.
    secret_arn
        The secret of the next system.
    queue_url, dead_letter_queue_url
        The delivery queue, and its dead-letter queue.
    retry_seconds
        How long a message that fails is tried again.
    first_wait_seconds, longest_wait_seconds
        Waits between two tries: the first one, which doubles each time, and the longest.
    """

    endpoint_url: str
    endpoint_timeout_seconds: Positive
    forbidden_networks: tuple[str, ...]
    secret_arn: str
    queue_url: str
    dead_letter_queue_url: str
    retry_seconds: Positive
    first_wait_seconds: NotNegative
    longest_wait_seconds: Positive
