"""The operator's eyes: logs, traces and metrics. Alone imports structlog, OpenTelemetry and the Prometheus client.

Watching changes nothing and holds nothing up: what cannot be told is counted and dropped. No text of a document, a
prompt or a model's answer, and no secret, is ever said here.
"""
