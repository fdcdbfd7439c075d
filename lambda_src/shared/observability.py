"""Logs, metrics and traces: one logger, one set of metrics and one tracer for the whole function."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger(use_rfc3339=True, utc=True)
metrics = Metrics()
# Only the SDK is traced: patching every library that the tracer knows costs cold start.
tracer = Tracer(patch_modules=["botocore"])
