"""The edge of ingest: get the bytes, have them parsed or cut, keep what came of it, say what was found."""

import asyncio
import json
from collections.abc import AsyncIterator

from contracts.blob import BlobRef
from contracts.document import (
    DivideDocument,
    DocumentDivided,
    DocumentFetched,
    DocumentParsed,
    DocumentPart,
    DocumentRejected,
    FetchDocument,
    ParseDocument,
)
from services.ingest import file_kinds, transcripts
from services.ingest.addresses import Allowed
from services.ingest.fetching import Found, opened
from services.ingest.parsers.article import marked
from services.ingest.parsers.outcome import Parsed, Unreadable
from services.ingest.parsers.plain import decode
from services.ingest.pool import ParserPool
from shared.blobs import Blobs
from shared.errors import GristmillError, Unavailable
from shared.worker import Done, Task, Work

KIND = "document"
ATTEMPTS = 4
"""At fetching what is away, before it is given up."""
NOBODY_ELSE = Allowed()
AT_ONCE = 4
"""Addresses of one job that are fetched at a time by one process."""


def work(
    blobs: Blobs, parsers: ParserPool, allow: Allowed = NOBODY_ELSE, seconds: float = 120.0
) -> list[Work]:
    async def parse(task: Task[ParseDocument]) -> Done:
        command = task.command
        data = await blobs.get(task.tenant, command.blob)
        try:
            parsed = await parsers.parse(data, command.name)
        except Unreadable as reason:
            return Done((_rejected(command, reason),))
        return Done((await _kept(blobs, task.tenant, command, parsed),))

    async def fetch(task: Task[FetchDocument]) -> Done:
        task.may_start()
        url = task.command.url[:200]
        try:
            return Done((await _fetched(blobs, task.tenant, task.command, allow, seconds),))
        except Unavailable as away:
            raise _again(away, url, task.attempt) from away
        except (GristmillError, Unreadable) as reason:
            # A job has many addresses, so each reason says which one it speaks of.
            raise GristmillError(reason.code, f"{url}: {reason.message}") from reason

    async def split(task: Task[DivideDocument]) -> Done:
        try:
            return Done((await _split(blobs, parsers, task.tenant, task.command),))
        except Unreadable as reason:
            raise GristmillError(reason.code, reason.message) from reason

    return [
        Work(FetchDocument, fetch, share=lambda _: AT_ONCE),
        Work(DivideDocument, split),
        Work(ParseDocument, parse),
    ]


async def _kept(
    blobs: Blobs, tenant: str, command: ParseDocument, parsed: Parsed
) -> DocumentParsed:
    structure = parsed.structure
    text_ref = await blobs.put(tenant, "text", parsed.text.encode(), "text/markdown")
    structure_ref = await blobs.put(
        tenant, "structure", structure.model_dump_json().encode(), "application/json"
    )
    return DocumentParsed(
        document_id=command.document_id,
        project_id=command.project_id,
        text=text_ref,
        structure=structure_ref,
        title=structure.title,
        language=structure.language,
        pages=len(structure.pages) or None,
        characters=len(parsed.text),
        words=len(parsed.text.split()),
        parser=parsed.parser,
        source_url=parsed.source_url or None,
        published=parsed.published or None,
    )


def _rejected(command: ParseDocument, reason: Unreadable) -> DocumentRejected:
    return DocumentRejected(
        document_id=command.document_id,
        project_id=command.project_id,
        stage="parse",
        code=reason.code,
        message=reason.message,
    )


def _again(away: Unavailable, url: str, attempt: int) -> GristmillError:
    """Another try after a pause that doubles, as long as there is one left."""
    if attempt >= ATTEMPTS:
        return GristmillError(away.code, f"{url}: {away.message} ({attempt} attempts).")
    pause = max(away.retry_after, 2.0**attempt)
    return Unavailable(away.code, away.message, waiting_for=away.waiting_for, retry_after=pause)


async def _fetched(
    blobs: Blobs, tenant: str, command: FetchDocument, allow: Allowed, seconds: float
) -> DocumentFetched:
    video = transcripts.video_of(command.url)
    if video:
        session = transcripts.checked_session(allow)
        said = await asyncio.to_thread(transcripts.read_transcript, video, session)
        address = f"https://www.youtube.com/watch?v={video}"
        text = said.markdown(address).encode()
        name = file_kinds.name_of(address, ".md", f"{said.title or 'youtube ' + video}.md")
        blob = await blobs.put(tenant, KIND, text, "text/markdown")
        return _event(command, address, name, blob)
    async with opened(command.url, allow, seconds) as found:
        ending, pieces = await _begun(found)
        name = file_kinds.name_of(found.url, ending, found.file_name)
        media = file_kinds.MEDIA[ending]
        if ending == ".html":
            page = b"".join([piece async for piece in pieces])
            page = await asyncio.to_thread(_marked, page, found)
            blob = await blobs.put(tenant, KIND, page, media)
        else:
            blob = await blobs.put_stream(tenant, KIND, pieces, media)
        return _event(command, found.url, name, blob)


def _marked(page: bytes, found: Found) -> bytes:
    """A page with its address, in UTF-8 where its server names another encoding."""
    if found.charset and found.charset.lower() not in ("utf-8", "utf8"):
        page = decode(page, found.charset).encode()
    return marked(page, found.url)


async def _begun(found: Found) -> tuple[str, AsyncIterator[bytes]]:
    """The ending of what comes, told by its first bytes too, and all of its pieces."""
    first = await anext(found.pieces, b"")
    if not first:
        raise Unreadable("empty_file", "Nothing lies there: the answer is empty.")

    async def pieces() -> AsyncIterator[bytes]:
        yield first
        async for piece in found.pieces:
            yield piece

    return file_kinds.ending_of(found.media, found.url, first), pieces()


def _event(command: FetchDocument, url: str, name: str, blob: BlobRef) -> DocumentFetched:
    return DocumentFetched(
        project_id=command.project_id, url=command.url, final_url=url, name=name, blob=blob
    )


async def _split(
    blobs: Blobs, parsers: ParserPool, tenant: str, command: DivideDocument
) -> DocumentDivided:
    data = await blobs.get(tenant, command.blob)
    pages, cut = await parsers.split(
        data, command.name, pages_per_part=command.pages_per_split, overlap=command.overlap_pages
    )
    parts = [
        DocumentPart(
            name=part.name,
            blob=await blobs.put(tenant, KIND, part.data, "application/pdf"),
            first_page=part.first,
            last_page=part.last,
        )
        for part in cut
    ]
    whole = {
        "document_id": str(command.document_id),
        "file_name": command.name,
        "pages": pages,
        "pages_per_split": command.pages_per_split,
        "overlap_pages": command.overlap_pages,
        "parts": [part.model_dump(mode="json") for part in parts],
    }
    manifest = await blobs.put(
        tenant, "manifest", json.dumps(whole, indent=1).encode(), "application/json"
    )
    return DocumentDivided(
        document_id=command.document_id,
        project_id=command.project_id,
        pages=pages,
        parts=tuple(parts),
        manifest=manifest,
    )
