"""Further files of a dataset that is closed."""

from uuid import UUID

from contracts.message import Request


class ExportRequested(Request):
    dataset_id: UUID
    format: str
