"""Further files of a dataset that is closed."""

from uuid import UUID

from contracts.message import Request


class ExportRequested(Request):
    """Somebody asked for a closed dataset in one more format."""

    dataset_id: UUID
    format: str
