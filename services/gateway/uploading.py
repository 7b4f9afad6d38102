"""Files of an upload, streamed into the blob store under limits. Says nothing to the ledger."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
from starlette.requests import ClientDisconnect, Request

from contracts.blob import BlobRef
from services.gateway.file_names import file_name, media_of
from services.gateway.multipart import Multipart
from shared.blobs import Blobs
from shared.clock import monotonic
from shared.errors import Refused, Unavailable
from shared.settings import Settings

MOST_BYTES = 100 * 1024 * 1024
"""Of one file."""
MOST_FILES = 1000
MOST_FIELD = 1000
MOST_DRAINED = 2 * MOST_BYTES
"""Bytes of a refused upload that are still read and thrown away, so that its sender gets to read the refusal."""
KIND = "document"
MOST_HELD = 2 * 1024 * 1024
"""Bytes of small files that wait in memory for the end of their upload: what is refused before has cost no write."""
FIELDS = ("files", "files[]", "file")


@dataclass(frozen=True, slots=True)
class Upload:
    project_id: str
    files: tuple[tuple[str, BlobRef], ...]
    """Name and bytes, in the order of the request."""

    @property
    def digest(self) -> str:
        """Of what was sent: the same for the same files under the same names in the same project only."""
        sent = [self.project_id, *([name, blob.sha256] for name, blob in self.files)]
        return hashlib.sha256(orjson.dumps(sent)).hexdigest()


async def receive(request: Request, blobs: Blobs, settings: Settings) -> Upload:
    """Store every file of the request. Raise ``Refused`` at the first that cannot be taken, or (408) when the body
    comes too slowly.
    """
    body = _timely(request.stream(), settings.upload_idle, settings.upload_time)
    multipart = Multipart(body, request.headers.get("content-type", ""))
    try:
        return await _read(multipart, blobs, settings.tenant)
    except (Refused, Unavailable):
        await _drain(body)
        raise
    except ClientDisconnect:
        raise Refused("client_disconnected", "The upload ended before its end.") from None


async def _timely(body: AsyncIterator[bytes], idle: float, total: float) -> AsyncIterator[bytes]:
    """The pieces of a body, whose sender may rest for ``idle`` seconds and take ``total`` in all.

    Time that we spend on a piece counts for the whole, not for the rest.
    """
    until = monotonic() + total
    while True:
        left = until - monotonic()
        try:
            async with asyncio.timeout(min(idle, left)):
                piece = await anext(body, None)
        except TimeoutError:
            why = f"nothing came for {idle:g} s" if idle < left else f"it took over {total:g} s"
            raise Refused(
                "body_too_slow", f"The upload was given up: {why}. Send it again.", status=408
            ) from None
        if piece is None:
            return
        yield piece


async def _read(multipart: Multipart, blobs: Blobs, tenant: str) -> Upload:
    project, held = "", 0
    files = list[tuple[str, str, bytes | BlobRef]]()
    while (part := await multipart.next_part()) is not None:
        if part.name == "project_id" and part.file is None:
            project = await _field(multipart.pieces())
        elif part.name not in FIELDS:
            raise Refused(
                "unknown_parameter",
                f"{part.name[:100]} is not a parameter of this request.",
                field=part.name[:100],
            )
        elif part.file is None:
            raise Refused("missing_parameter", f"{part.name} must be a file.", field="files")
        elif len(files) == MOST_FILES:
            raise Refused("too_many_files", f"An upload holds at most {MOST_FILES} files.")
        else:
            name = file_name(part.file)
            media = media_of(name)
            pieces = _limited(multipart.pieces(), name)
            begun, ended = await _begun(pieces, MOST_HELD - held)
            if ended:
                held += len(begun)
                files.append((name, media, begun))
            else:
                whole = _joined(begun, pieces)
                files.append((name, media, await blobs.put_stream(tenant, KIND, whole, media)))
    if not files:
        raise Refused("missing_parameter", "files is required.", field="files")
    if not project:
        raise Refused("missing_parameter", "project_id is required.", field="project_id")
    stored = [
        (name, await blobs.put(tenant, KIND, file, media) if isinstance(file, bytes) else file)
        for name, media, file in files
    ]
    return Upload(project, tuple(stored))


async def _begun(pieces: AsyncIterator[bytes], room: int) -> tuple[bytes, bool]:
    """The beginning of a file, and whether that is all of it; what does not fit into ``room`` bytes is not."""
    begun = bytearray()
    async for piece in pieces:
        begun += piece
        if len(begun) > room:
            return bytes(begun), False
    return bytes(begun), True


async def _joined(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for piece in rest:
        yield piece


async def _limited(pieces: AsyncIterator[bytes], name: str) -> AsyncIterator[bytes]:
    """The bytes of one file; an error in here leaves nothing in the blob store."""
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > MOST_BYTES:
            raise Refused(
                "file_too_large",
                f"{name} is larger than {MOST_BYTES // 1024**2} MB: split it.",
                status=413,
                field="files",
            )
        yield piece
    if not size:
        raise Refused("empty_file", f"{name} is empty.", field="files")


async def _field(pieces: AsyncIterator[bytes]) -> str:
    value = b""
    async for piece in pieces:
        value += piece
        if len(value) > MOST_FIELD:
            raise Refused("invalid_parameter", "project_id is too long.", field="project_id")
    return value.decode(errors="replace").strip()


async def _drain(body: AsyncIterator[bytes]) -> None:
    seen = 0
    try:
        async for piece in body:
            seen += len(piece)
            if seen > MOST_DRAINED:
                return
    except (ClientDisconnect, Refused):
        return
