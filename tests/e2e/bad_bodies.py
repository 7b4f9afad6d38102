"""Bodies that are sent in a bad way: too slowly, or in too many pieces. Walks them against a running mill.

Speaks HTTP over bare sockets where a client library would be too polite.
"""

import asyncio
import json
from urllib.parse import urlsplit

import psutil

from shared.clock import monotonic
from tests.e2e.bad_mill import MULTIPART, Mill, encoded
from tests.e2e.bad_requests import JSON, Answered

MANY = 10_000
FLAT = 16 * 1024 * 1024
SLOW: tuple[tuple[str, str, bytes, Answered], ...] = (
    (
        "/documents/upload",
        MULTIPART,
        encoded([(b"slow.txt", b"A grain.")], "1")[:-20],
        (408, "body_too_slow", "nothing came for"),
    ),
    ("/documents/upload", MULTIPART, b"--x\r\nContent-Dis", (408, "body_too_slow", "nothing came")),
    ("/documents/upload", MULTIPART, b"", (408, "body_too_slow", "nothing came for")),
    ("/datasets/generate", JSON, b'{"project_id": ', (408, "body_too_slow", "not come whole")),
    ("/projects", JSON, b"", (408, "body_too_slow", "not come whole")),
)
"""Path, content type, and what comes of a body of which more was announced."""


async def slow_bodies_are_given_up(mill: Mill) -> None:
    """All at once, while everything else goes on: each is answered and its connection closed."""

    async def sent(path: str, kind: str, data: bytes, answered: Answered) -> None:
        status, code, words = answered
        at = urlsplit(mill.tree.url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        head = f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        writer.write(head.encode() + b"Content-Length: 100000\r\n\r\n" + data)
        async with asyncio.timeout(60):
            answer = await reader.read()
        writer.close()
        first, _, body = answer.partition(b"\r\n\r\n")
        said = json.loads(body)
        told = first.startswith(b"HTTP/1.1 %d" % status) and said["code"] == code
        mill.expect(told and words in said["detail"], f"slow {path} {data[:40]!r}", answer)

    await asyncio.gather(*(sent(*row) for row in SLOW for _ in range(5)))


async def too_many_files_are_refused_early(mill: Mill) -> None:
    """Before anything of them is written, in little time and memory."""
    project = await mill.project()
    gateway = psutil.Process(mill.tree.pid("gateway"))
    body = encoded([(b"%d.txt" % n, b"File %d." % n) for n in range(MANY)], project)
    blobs = mill.folder / "data" / "blobs"
    files, before = len(list(blobs.rglob("*"))), gateway.memory_info().rss
    began = monotonic()
    answered = (400, "too_many_files", "at most 1000 files")
    await mill.refused(answered, "POST", "/documents/upload", body, MULTIPART)
    took, grew = monotonic() - began, gateway.memory_info().rss - before
    mill.expect(took < 3, f"{MANY} files are refused early", took)
    mill.expect(grew < FLAT, "in little memory", grew)
    written = len(list(blobs.rglob("*"))) - files
    mill.expect(written == 0, "without a write", written)
