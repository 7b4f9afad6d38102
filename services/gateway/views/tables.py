"""The views' tables as the fold writes them: their keys and the types of their columns. Must agree with schema.sql."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """``key`` names the primary key's columns, ``columns`` every column with its Postgres type."""

    key: tuple[str, ...]
    columns: Mapping[str, str]


def _table(key: str, **types: str) -> Table:
    columns = {name: kind for kind, names in types.items() for name in names.split()}
    return Table(tuple(key.split()), columns)


TABLES: dict[str, Table] = {
    "projects": _table(
        "project_id",
        uuid="project_id",
        text="tenant name description",
        int="alias",
        timestamptz="created_at updated_at",
    ),
    "documents": _table(
        "document_id",
        uuid="document_id project_id",
        text="tenant name status title source_url published language parser chunking code message",
        int="pages characters words chunks",
        bigint="pos",
        jsonb="blob body structure",
        timestamptz="created_at updated_at",
    ),
    "splits": _table("job_id", uuid="job_id document_id", int="pages", jsonb="parts manifest"),
    "document_names": _table("document_id name", uuid="document_id", text="name"),
    "document_chunkings": _table(
        "document_id chunking",
        uuid="document_id",
        text="chunking",
        int="chunks cut",
        jsonb="chunk_table",
    ),
    "jobs": _table(
        "job_id",
        uuid="job_id project_id dataset_id",
        text="tenant kind chunking format status waiting_for waiting_reason code message",
        boolean="all_documents cancelling pausing",
        int="documents calls calls_failed",
        bigint="pos prompt_tokens completion_tokens cached_tokens cost restarted",
        timestamptz="created_at started_at completed_at updated_at",
    ),
    "job_documents": _table("job_id document_id", uuid="job_id document_id"),
    "datasets": _table(
        "dataset_id",
        uuid="dataset_id project_id job_id",
        text="tenant name mode model format",
        int="batch_size wanted rounds chunks seeds asked done failed generated accepted rejected"
        " surplus",
        bigint="pos",
        jsonb="settings skipped closing",
        timestamptz="created_at updated_at reopened_at",
    ),
    "plans": _table("job_id first", uuid="job_id", int="first seeds round", jsonb="plan"),
    "units": _table(
        "unit_id dataset_id",
        uuid="unit_id dataset_id document_id chunk_id body_id call_id",
        text="nothing_because model response_key",
        int="seed round sample entries",
        bigint="pos",
        jsonb="prompt parameters usage",
    ),
    "failures": _table(
        "unit_id",
        uuid="unit_id job_id call_id",
        text="code message command",
        bigint="pos",
        boolean="fatal",
    ),
    "entries": _table(
        "entry_id dataset_id",
        uuid="entry_id dataset_id unit_id",
        text="type status reason category difficulty kind",
        int="seed n",
        jsonb="found",
        bigint="verdict_pos admitted_pos",
        **{"double precision": "quality"},
    ),
    "exports": _table(
        "dataset_id format batch_size",
        uuid="dataset_id job_id",
        text="format output_dir",
        int="batch_size head entries",
        jsonb="files not_laid",
        timestamptz="created_at",
    ),
}
"""In the order in which a batch writes them."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Rows of ``table`` whose ``column`` names the thing, or something in ``through`` whose ``by`` names it."""

    table: str
    column: str
    through: str | None = None
    by: str = ""


BELONGINGS: dict[str, tuple[Belonging, ...]] = {
    "document": (
        Belonging("job_documents", "document_id"),
        Belonging("document_names", "document_id"),
        Belonging("document_chunkings", "document_id"),
        Belonging("documents", "document_id"),
    ),
    "dataset": (
        Belonging("entries", "dataset_id"),
        Belonging("units", "dataset_id"),
        Belonging("exports", "dataset_id"),
        Belonging("plans", "job_id", "jobs", "dataset_id"),
        Belonging("failures", "job_id", "jobs", "dataset_id"),
        Belonging("splits", "job_id", "jobs", "dataset_id"),
        Belonging("datasets", "dataset_id"),
    ),
    "project": (
        Belonging("entries", "dataset_id", "datasets", "project_id"),
        Belonging("units", "dataset_id", "datasets", "project_id"),
        Belonging("exports", "dataset_id", "datasets", "project_id"),
        Belonging("plans", "job_id", "jobs", "project_id"),
        Belonging("failures", "job_id", "jobs", "project_id"),
        Belonging("splits", "job_id", "jobs", "project_id"),
        Belonging("job_documents", "job_id", "jobs", "project_id"),
        Belonging("document_names", "document_id", "documents", "project_id"),
        Belonging("document_chunkings", "document_id", "documents", "project_id"),
        Belonging("jobs", "dataset_id", "datasets", "project_id"),
        Belonging("jobs", "project_id"),
        Belonging("datasets", "project_id"),
        Belonging("documents", "project_id"),
        Belonging("projects", "project_id"),
    ),
}
"""What goes with a thing that is deleted, in the order in which it goes."""
