"""What a format is given and what it must do. Holds no format itself.

Formats speak users' words: ``DIFFICULTY`` maps an entry's difficulty (easy, intermediate, hard) to the words of the
files (easy, medium, hard), the same in every format.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable
from uuid import UUID

from contracts.entries import Content, PromptRef
from contracts.generation import Difficulty

DIFFICULTY: Mapping[Difficulty | None, str | None] = {
    None: None,
    "easy": "easy",
    "intermediate": "medium",
    "hard": "hard",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where entries come from. Rows of one unit share one object, which formats render once."""

    document_id: UUID
    document_name: str
    title: str
    page: int | None
    heading_path: tuple[str, ...]
    chunk_id: UUID
    model: str
    prompt: PromptRef
    parameters: Mapping[str, float | int | str | bool | None]
    response_key: str
    seed: int
    dataset_id: UUID
    job_id: UUID


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One accepted entry; its evidence, with offsets in the parsed text, is part of ``content``."""

    entry_id: UUID
    content: Content
    category: str
    difficulty: Difficulty | None
    """As curation settled it, which may differ from what the model said in ``content``."""
    quality: float
    """Between 0 and 1."""
    provenance: Provenance


@runtime_checkable
class Format(Protocol):
    """A way to write rows as a file."""

    @property
    def name(self) -> str:
        """As users ask for it, and as its entry point is named."""
        ...

    @property
    def extension(self) -> str:
        """Of file names, without the dot."""
        ...

    @property
    def media(self) -> str:
        """Internet media type."""
        ...

    def refuses(self, types: Collection[str]) -> str | None:
        """Why the format cannot hold entries of these types (``Content.type``), as a sentence; None: it can."""
        ...

    def write(self, rows: Iterable[ExportRow], out: BinaryIO) -> int:
        """Write the rows and return how many they were; ``out`` stays open.

        Memory stays flat however many rows come, and the same rows give the same bytes. Raises ``ValueError``
        on a row of a type that ``refuses`` names.
        """
        ...


WHOLE = frozenset(
    {
        "question and answer",
        "instruction following",
        "question",
        "answer",
        "summarization",
    }
)
"""Every type that a dataset may hold; what could not be read (``malformed``) is never accepted."""
PAIRED = WHOLE - {"question", "answer"}
"""The types that have both something to ask and something to say to it."""


def lacking(name: str, types: Collection[str], held: frozenset[str]) -> str | None:
    """The sentence with which a format that can hold ``held`` refuses other types; None where there are none."""
    other = sorted(set(types) - held)
    if not other:
        return None
    need = " because each of its rows needs an answer to a question" if held == PAIRED else ""
    return f"Format {name} cannot hold entries of type {', '.join(map(repr, other))}{need}."
