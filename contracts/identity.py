"""Derived identities: the same thing has the same id wherever and however often it is computed.

Every id is a uuid5 of what makes the thing itself, never a random draw, so a repeated step produces the id it
produced before. Nothing here reads a clock or draws a random number.
"""

from urllib.parse import quote
from uuid import UUID, uuid5

GRISTMILL = UUID("6f1d0c1e-9a55-5d0b-8d5a-2f6a0b7c9e11")


def _key(tenant: str, source: str, request_id: str) -> str:
    """The idempotency key of a request as one text. Sources are often paths, so a bare join would mix up two keys."""
    return f"{tenant}/{quote(source, safe='')}/{quote(request_id, safe='')}"


def project_id(tenant: str, source: str, request_id: str) -> UUID:
    return uuid5(GRISTMILL, f"project/{_key(tenant, source, request_id)}")


def document_id(project: UUID, sha256: str) -> UUID:
    """The same bytes twice in one project are one document."""
    return uuid5(project, f"document/{sha256}")


def job_id(tenant: str, source: str, request_id: str) -> UUID:
    """The idempotency key of a request, as a job."""
    return uuid5(GRISTMILL, f"job/{_key(tenant, source, request_id)}")


def request_message(tenant: str, source: str, request_id: str) -> UUID:
    """A request as a message; the events that it becomes are numbered from it."""
    return uuid5(GRISTMILL, f"request/{_key(tenant, source, request_id)}")


def chunk_id(document: UUID, chunking: str, index: int) -> UUID:
    """``chunking`` is ``Chunking.key()``: strategy and parameters."""
    return uuid5(document, f"chunk/{chunking}/{index}")


def dataset_id(job: UUID) -> UUID:
    return uuid5(job, "dataset")


def unit_id(job: UUID, work: str) -> UUID:
    """``work`` names the piece of work within its job, such as ``"seed/17"`` or ``"admit/3"``."""
    return uuid5(job, f"unit/{work}")


def seed_unit(job: UUID, index: int) -> UUID:
    """The unit of seed ``index``; seeds are numbered through all rounds of a job."""
    return unit_id(job, f"seed/{index}")


def entry_id(unit: UUID, sample: int, n: int) -> UUID:
    """Without the attempt: doing a unit again yields the same entry."""
    return uuid5(unit, f"entry/{sample}/{n}")


def outcome_id(unit: UUID, attempt: int, incarnation: UUID) -> UUID:
    """The message in which one worker process says the outcome of one attempt at a unit."""
    return uuid5(unit, f"outcome/{attempt}/{incarnation}")


def answered_id(outcome: UUID, n: int) -> UUID:
    """The message in which the n-th answer to an attempt (from 0) is said before its outcome."""
    return uuid5(outcome, f"answered/{n}")


def event_id(message: UUID, n: int) -> UUID:
    """The n-th event (from 0) that a message becomes."""
    return uuid5(message, f"event/{n}")


def call_id(unit: UUID, attempt: int, incarnation: UUID, number: int) -> UUID:
    """One model call; every call made has one, also in attempts that lost."""
    return uuid5(unit, f"call/{attempt}/{incarnation}/{number}")


def body_id(event: UUID, field: str) -> UUID:
    """Never a content hash: two equal texts of two documents are erased apart from each other."""
    return uuid5(event, f"body/{field}")


def followup_id(stream: UUID, version: int) -> UUID:
    """An event that the ledger itself decided, by the place it takes in its stream."""
    return uuid5(stream, f"decided/{version}")


def command_id(first_unit: UUID) -> UUID:
    """The command in which a unit is first issued; its re-issues keep it and raise the attempt."""
    return uuid5(first_unit, "command")


def calls_stream(job: UUID) -> UUID:
    """The stream of a job's settled calls, apart from the job's own so that it stays short."""
    return uuid5(job, "calls")
