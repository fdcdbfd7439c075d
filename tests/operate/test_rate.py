"""The rate limiter."""

from __future__ import annotations

from operate.rate import RateLimiter


def test_the_rate_is_kept_and_what_was_late_is_not_made_up_for() -> None:
    clock, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))
        clock[0] += seconds

    limiter = RateLimiter(10, now=lambda: clock[0], sleep=sleep)
    for _ in range(3):
        limiter.wait()
    clock[0] += 5
    for _ in range(3):
        limiter.wait()

    assert waits == [0.1, 0.1, 0.1]
