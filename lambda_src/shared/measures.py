"""Every metric that the functions write, with its unit. Alarms and graphs look at these: a test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit

from shared.observability import metrics


@dataclass(frozen=True)
class Measure:
    """A metric of the function's own.

    Parameters
    ----------
    name, unit
        How CloudWatch knows it.
    """

    name: str
    unit: MetricUnit = MetricUnit.Count

    def add(self, value: float = 1) -> None:
        """Write a value."""
        metrics.add_metric(name=self.name, unit=self.unit, value=value)


FILES: Final = {status: Measure(f"Files{status.title()}") for status in ("COMPLETED", "FAILED", "REJECTED", "SKIPPED")}
"""How files ended."""

FILE_SIZE: Final = Measure("FileSize", MetricUnit.Bytes)
FILES_LATE: Final = Measure("FilesLate")
"""1 for a file that came to its final status later than it should, 0 for every other."""

TIME_TO_FINAL: Final = Measure("TimeToFinal", MetricUnit.Milliseconds)
"""From a file's upload to its final status."""

PROCESSING_TIME: Final = Measure("ProcessingTime", MetricUnit.Milliseconds)
RECORDS_VALID: Final = Measure("RecordsValid")
RECORDS_REJECTED: Final = Measure("RecordsRejected")
MESSAGES_RETURNED: Final = Measure("MessagesReturned")
MESSAGES_DEAD_LETTERED: Final = Measure("MessagesDeadLettered")
UPLOADS_MISSED: Final = Measure("UploadsMissed")
REQUESTS: Final = Measure("Requests")
CHANGES_QUEUED: Final = Measure("ChangesQueued")
CHANGES_DEAD_LETTERED: Final = Measure("ChangesDeadLettered")
BATCHES_RETURNED: Final = Measure("BatchesReturned")
DELIVERIES_SENT: Final = Measure("DeliveriesSent")
DELIVERIES_FAILED: Final = Measure("DeliveriesFailed")
DELIVERIES_DEAD_LETTERED: Final = Measure("DeliveriesDeadLettered")
