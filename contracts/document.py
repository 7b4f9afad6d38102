"""Documents: submitted bytes, their parsed text, their chunks.

Offsets everywhere count Unicode code points of the stored parsed text, which is cleaned once and never changes.
"""

import hashlib
import json
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.blob import BlobRef
from contracts.message import Command, Event, Message, Request

Strategy = Literal[
    "character", "sentence", "markdown", "token", "delimiter", "semantic", "schema", "contextual"
]
OVERLAPPING = ("character", "sentence", "token", "contextual")
"""Strategies whose chunks may share text; those of the others never do."""
DELIMITERS = ("\n\n", "\n")
CONTEXT_WORDS = 20

_NO_LINEAR_TIME = re.compile(r"(?<!\\)\(\?(?:[=!>(#]|<[=!]|P=)|\\[1-9]")


class SplitRule(Message):
    """Where a text is split: at each match of a ``pattern``, after each ``delimiter``, before each ``heading``."""

    type: Literal["pattern", "delimiter", "structure"]
    value: str = Field(min_length=1, max_length=300)
    """An RE2 regular expression (``^`` and ``$`` mean lines), the delimiter itself, or ``heading``."""

    @model_validator(mode="after")
    def _means_something(self) -> "SplitRule":
        if self.type == "structure" and self.value != "heading":
            raise ValueError("a structure rule knows one value: heading")
        if self.type == "pattern":
            # RE2, which does the matching, says the last word; this catches what nobody could match.
            if _NO_LINEAR_TIME.search(self.value.replace("\\\\", "")):
                raise ValueError("a pattern has no look-around, back reference or condition (RE2)")
            try:
                re.compile(self.value)
            except (re.error, OverflowError, RecursionError) as problem:
                raise ValueError(f"not a regular expression: {problem}") from None
        return self


class Chunking(Message):
    """How a parsed text is cut. ``size`` and ``overlap`` count what the strategy counts.

    ``character``: windows of ``size`` characters, each starting ``size - overlap`` after the one before.
    ``sentence``: windows of ``size`` sentences that share ``overlap`` sentences.
    ``token``: windows of ``size`` tokens that share ``overlap`` tokens. A token is one of the named tokenizer, else a
    word, a number, a punctuation mark, or one character of a script without spaces.
    ``contextual``: windows of ``size`` words, each to be read after the last ``context_words`` words before it.
    The others never overlap, and no chunk of theirs is longer than ``size`` characters:
    ``markdown``: sections under their heading path.
    ``delimiter``: what stands between delimiters, without the white space around it.
    ``semantic``: sentences that share words, a new chunk where their similarity, as a share of what is much in this
    document, falls below ``similarity_drop``.
    ``schema``: split at the places that ``rules`` name.
    """

    strategy: Strategy = "markdown"
    size: int = Field(default=2000, ge=1, le=100_000)
    overlap: int = Field(default=0, ge=0)
    tokenizer: BlobRef | None = None
    """A ``tokenizer.json`` (kind ``tokenizer``); ``token`` only."""
    delimiters: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=20
    )
    """None: blank lines and line ends; ``delimiter`` only."""
    merge: bool = False
    """Neighbours that fit into ``size`` together become one chunk; ``delimiter`` only."""
    similarity_drop: float = Field(default=0.3, ge=0, le=1)
    """``semantic`` only."""
    rules: tuple[SplitRule, ...] = Field(default=(), max_length=20)
    """At least one; ``schema`` only."""
    combine: Literal["any", "all"] = "any"
    """Split where any rule says so, or where all do; ``schema`` only."""
    include_pattern: bool = False
    """Split before a pattern's match, so that it opens a chunk, rather than after it; ``schema`` only."""
    context_words: int | None = Field(default=None, ge=0, le=200)
    """Words before a chunk that its prompt shows as context; None: 20 for ``contextual``, else the usual stretch of
    text on either side."""

    @model_validator(mode="after")
    def _fits(self) -> "Chunking":
        if self.overlap >= self.size:
            raise ValueError("overlap must be less than chunk_size")
        if self.strategy not in OVERLAPPING and self.overlap:
            raise ValueError(f"{self.strategy} chunking has no overlap")
        for field, owner in _OWNERS.items():
            default = Chunking.model_fields[field].default
            if self.strategy != owner and getattr(self, field) != default:
                raise ValueError(f"{field} belongs to the strategy {owner}, not {self.strategy}")
        if self.strategy == "schema" and not self.rules:
            raise ValueError("schema chunking needs at least one rule")
        return self

    @property
    def context(self) -> int | None:
        """Words of context before a chunk; None: nobody asked for a number."""
        if self.context_words is None and self.strategy == "contextual":
            return CONTEXT_WORDS
        return self.context_words

    def key(self) -> str:
        """Identity of the strategy with its parameters; what is at its default is not part of it."""
        base = f"{self.strategy}/{self.size}/{self.overlap}"
        more = self.model_dump(
            mode="json", exclude={"strategy", "size", "overlap"}, exclude_defaults=True
        )
        if not more:
            return base
        said = json.dumps(more, sort_keys=True, separators=(",", ":"))
        return f"{base}/{hashlib.sha256(said.encode()).hexdigest()[:16]}"


_OWNERS = {
    "tokenizer": "token",
    "delimiters": "delimiter",
    "merge": "delimiter",
    "similarity_drop": "semantic",
    "rules": "schema",
    "combine": "schema",
    "include_pattern": "schema",
}


def _address(url: str) -> str:
    """Raise ``ValueError`` for what is no address of the web, or holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not an address of the web") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("must be an http or https address with a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise ValueError("must not hold spaces, control characters or backslashes")
    return url


WebAddress = Annotated[
    str, StringConstraints(min_length=8, max_length=2048), AfterValidator(_address)
]
"""An ``http`` or ``https`` URL with a host and without credentials. Whether it may be fetched is for ingest to say."""


class DocumentSubmitted(Request):
    """Somebody handed over a document: by its stored bytes, or by its content, which is stored first."""

    project_id: UUID
    name: str = Field(min_length=1, max_length=255)
    """The file name as the user knows it; a label, never a path. Its ending says how it is read."""
    blob: BlobRef | None = None
    """Its bytes, where they are stored; always there once it is recorded."""
    content: str | None = Field(default=None, max_length=1_000_000)
    """A text itself, for who has no way to the blob store; never recorded. A message holds at most 1 MB in all."""
    content_base64: str | None = Field(default=None, max_length=1_400_000)
    """The same for bytes that are no text, in base64."""
    upload_id: str | None = None
    """Names the upload that it came with, so that its files are one job; None: alone."""
    upload_digest: str | None = Field(default=None, max_length=64)
    """Of all files of the upload: its key with other files beside this one is another request."""

    @model_validator(mode="after")
    def _is_there_once(self) -> "DocumentSubmitted":
        if [self.blob, self.content, self.content_base64].count(None) != 2:
            raise ValueError("exactly one of blob, content and content_base64 must be given")
        return self


class DocumentFetchRequested(Request):
    """Somebody asked for what lies at these addresses of the web to become documents."""

    project_id: UUID
    urls: tuple[WebAddress, ...] = Field(min_length=1, max_length=100)


class DocumentSplitRequested(Request):
    """Somebody asked for a PDF to be cut into documents of fewer pages."""

    project_id: UUID
    document_id: UUID
    pages_per_split: int = Field(default=200, ge=1, le=100_000)
    overlap_pages: int = Field(default=1, ge=0)
    """Pages at the end of a part that the next one begins with."""

    @model_validator(mode="after")
    def _goes_on(self) -> "DocumentSplitRequested":
        if self.overlap_pages >= self.pages_per_split:
            raise ValueError("overlap_pages must be less than pages_per_split")
        return self


class DocumentAdded(Event):
    """Bytes that its project did not have yet became a document."""

    document_id: UUID
    project_id: UUID
    name: str
    blob: BlobRef
    upload_id: str | None
    source_url: str | None = None
    """Where it was fetched; None: it was handed over."""


class DocumentReopened(Event):
    """A document that had been rejected for a reason that may be gone was given another try."""

    document_id: UUID
    project_id: UUID


class DocumentNamed(Event):
    """The same bytes were submitted again: under another name, or once more under this one."""

    document_id: UUID
    project_id: UUID
    name: str
    upload_id: str | None
    reopened: bool = False
    """It had been rejected, perhaps for its name: from now on it has this one, and another try."""


class DocumentDeletionRequested(Request):
    """Somebody asked for a document to be deleted with its chunks."""

    document_id: UUID


class DocumentDeleted(Event):
    """A document was deleted with its chunks; the same bytes, submitted again, are a document again.

    Entries of finished datasets that were made from it stay.
    """

    document_id: UUID
    project_id: UUID
    name: str
    chunks: int = Field(ge=0)


class ParseDocument(Command):
    """Read the text and the structure out of a document's bytes."""

    document_id: UUID
    project_id: UUID
    name: str
    blob: BlobRef


class FetchDocument(Command):
    """Get what lies at an address of the web."""

    project_id: UUID
    url: str


class DocumentFetched(Event):
    """What lies at an address was stored; it becomes a document as if it had been submitted."""

    project_id: UUID
    url: str
    """As it was asked for."""
    final_url: str
    """Where redirects led."""
    name: str = Field(min_length=1, max_length=255)
    """A file name with the ending of what came."""
    blob: BlobRef


class DivideDocument(Command):
    """Cut a PDF into PDFs of fewer pages."""

    document_id: UUID
    project_id: UUID
    name: str
    blob: BlobRef
    pages_per_split: int
    overlap_pages: int


class DocumentPart(Message):
    name: str = Field(min_length=1, max_length=255)
    blob: BlobRef
    first_page: int
    """In the whole, from 1."""
    last_page: int


class DocumentDivided(Event):
    """A PDF was cut; each part becomes a document of its own."""

    document_id: UUID
    """Of the whole."""
    project_id: UUID
    pages: int
    parts: tuple[DocumentPart, ...]
    manifest: BlobRef
    """JSON: the whole and its parts with their pages."""


class Heading(Message):
    level: int = Field(ge=1, le=9)
    text: str
    start: int
    """Offset of the heading's line."""
    end: int


class PageSpan(Message):
    number: int = Field(ge=1)
    start: int
    end: int


class Structure(Message):
    """What is known of a parsed text besides its characters; kept as a blob of JSON beside it."""

    title: str
    language: str | None
    """ISO 639-1, or None where it could not be told."""
    headings: tuple[Heading, ...]
    pages: tuple[PageSpan, ...]
    """Empty where the format has no pages."""


class DocumentParsed(Event):
    """A document's text and structure were read and stored."""

    document_id: UUID
    project_id: UUID
    text: BlobRef
    structure: BlobRef
    title: str
    language: str | None
    pages: int | None
    characters: int
    words: int
    parser: str
    """Name and version, as in ``kreuzberg/4.10.4``."""
    source_url: str | None = None
    """The address that a saved or fetched web page names as its own."""
    published: str | None = None
    """The day that a web page names, as in 2026-11-21."""


class DocumentRejected(Event):
    """A document turned out to be unusable, for this reason; the rest of its job went on."""

    document_id: UUID
    project_id: UUID
    stage: Literal["parse", "chunk"]
    code: str
    message: str


class ChunkDocument(Command):
    """Cut a parsed text into chunks in one way."""

    document_id: UUID
    project_id: UUID
    text: BlobRef
    structure: BlobRef
    chunking: Chunking


class Chunk(Message):
    """One row of a chunk table (a blob of JSON lines)."""

    chunk_id: UUID
    index: int
    start: int
    end: int
    heading_path: tuple[str, ...]
    page: int | None
    context_start: int | None = None
    """The text from here to ``start`` is to be read before the chunk and is no part of it; None: nobody chose."""


class DocumentChunked(Event):
    """A parsed text was cut into chunks; their table is a blob of JSON lines."""

    document_id: UUID
    project_id: UUID
    chunking: Chunking
    table: BlobRef
    chunks: int
