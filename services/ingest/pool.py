"""Child processes that parse, kept warm and replaced when they fail. The parent never touches a file's content."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from contracts.document import Structure
from services.ingest import frame
from services.ingest.parsers.outcome import MAX_BYTES, Parsed, Part, Unreadable
from services.ingest.tessdata import NO_DATA, Tessdata

_ROOT = Path(__file__).resolve().parents[2]
_KEPT_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_TAIL = 4096
_GRACE = 5.0
MOST_SECONDS = 3600.0
"""Of one document, however many pictures it has."""
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")


class _Child:
    """One process and what it said on its error output."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.documents = 0
        self.tail = b""
        self._listening = asyncio.create_task(self._listen())

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def _listen(self) -> None:
        errors = self.process.stderr
        while errors is not None and (piece := await errors.read(_TAIL)):
            self.tail = (self.tail + piece)[-_TAIL:]

    async def answers(self) -> bool:
        """Whether the process still lives. Its return code says so only after the event loop has heard of it."""
        try:
            async with asyncio.timeout(_GRACE):
                await self.ask({}, b"")
        except (EOFError, OSError, ValueError):
            return False
        return True

    async def ask(self, header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a frame and wait for its answer. Raise ``EOFError`` or ``OSError`` where the child is gone."""
        sink = self.process.stdin
        if sink is None:
            raise EOFError
        sink.write(frame.encode(header, data))
        await sink.drain()
        return await self.hear()

    async def hear(self) -> tuple[dict[str, Any], bytes]:
        """Wait for one frame. Raise as ``ask``."""
        source = self.process.stdout
        if source is None:
            raise EOFError
        length = await source.readexactly(frame.LENGTH.size)
        answer = frame.header_of(await source.readexactly(frame.LENGTH.unpack(length)[0]))
        return answer, await source.readexactly(answer["size"])

    async def end(self, *, kill: bool) -> int:
        """Leave nothing behind: the process is waited for, its pipes are closed. Give its return code."""
        if self.alive and kill:
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                code = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            code = await self.process.wait()
        await self._listening
        return code


def _read(path: Path) -> bytes:
    _refuse_large(path.stat().st_size)
    return path.read_bytes()


def _refuse_large(size: int) -> None:
    if size > MAX_BYTES:
        raise Unreadable(
            "too_large", f"The file has {size:,} bytes; at most {MAX_BYTES:,} are read. Split it."
        )


class ParserPool:
    """Parses documents in child processes, each limited to ``memory`` bytes and each document to ``seconds``.

    A document whose pages are pictures has ``seconds`` for each of them.

    ``children`` documents are parsed at a time; further ones wait. A child serves many documents and is replaced after
    ``documents_per_child`` of them, or when it overruns, crashes or runs out of memory.
    """

    def __init__(
        self,
        *,
        children: int = 1,
        memory: int = 2 * 1024**3,
        seconds: float = 60.0,
        documents_per_child: int = 500,
        tessdata: Tessdata = NO_DATA,
    ) -> None:
        self._tessdata = tessdata
        self._memory = memory
        self._seconds = seconds
        self._documents_per_child = documents_per_child
        self._children = children
        self._slots: asyncio.Queue[_Child | None] = asyncio.Queue()
        for _ in range(children):
            self._slots.put_nowait(None)

    async def parse(self, source: bytes | Path, name: str) -> Parsed:
        """Parse bytes or a file; ``name`` is the document's, whose ending names its format.

        Raise ``Unreadable`` with the parsers' codes, or ``parse_timeout``, ``parse_memory``, ``parse_crashed``.
        """
        ocr = {"languages": self._tessdata.languages, "missing": self._tessdata.missing}
        header, body = await self._do(source, {"name": name, "ocr": ocr})
        structure = Structure.model_validate(header["structure"])
        return Parsed(
            body.decode(), structure, header["parser"], header["source_url"], header["published"]
        )

    async def split(
        self, source: bytes | Path, name: str, *, pages_per_part: int, overlap: int
    ) -> tuple[int, list[Part]]:
        """Cut a PDF into parts; give its number of pages, and the parts. Raise as ``parse``."""
        cut = {"pages_per_part": pages_per_part, "overlap": overlap}
        header, body = await self._do(source, {"name": name, "split": cut})
        parts, at = [], 0
        for each in header["parts"]:
            data = body[at : at + each["size"]]
            parts.append(Part(each["name"], each["first"], each["last"], data))
            at += each["size"]
        return header["pages"], parts

    async def _do(
        self, source: bytes | Path, request: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        data = source if isinstance(source, bytes) else await asyncio.to_thread(_read, source)
        _refuse_large(len(data))
        child = await self._slots.get()
        done = False
        try:
            child = await self._ready(child)
            header, body = await self._ask(child, request, data)
            done = True
        finally:
            # Also when the caller is cancelled: what the child is at is of no more use.
            try:
                if child is not None and not done:
                    await asyncio.shield(child.end(kill=True))
            finally:
                self._slots.put_nowait(child if done else None)
        if "code" in header:
            raise Unreadable(header["code"], header["message"])
        return header, body

    async def close(self) -> None:
        """Wait for what is being parsed, then end every child."""
        for _ in range(self._children):
            child = await self._slots.get()
            if child is not None:
                await child.end(kill=True)
        for _ in range(self._children):
            self._slots.put_nowait(None)

    async def _ready(self, child: _Child | None) -> _Child:
        if child is not None:
            fresh = child.documents < self._documents_per_child
            if fresh and child.alive and await child.answers():
                return child
            await child.end(kill=True)
        environment = {name: os.environ[name] for name in _KEPT_ENV if name in os.environ}
        # Arenas and thread pools are sized by the machine's cores, and all count against the child's memory.
        environment |= {"PYTHONPATH": str(_ROOT), "MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "2"}
        environment |= {"OMP_THREAD_LIMIT": "1", "TESSDATA_PREFIX": self._tessdata.folder}
        arguments = (str(os.getpid()), str(self._memory), str(self._seconds + _GRACE))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.ingest.child", *arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
        )
        return _Child(process)

    async def _ask(
        self, child: _Child, request: dict[str, Any], data: bytes
    ) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                async with asyncio.timeout(self._seconds):
                    child.documents += 1
                    header, body = await child.ask(request, data)
                while "working" in header:
                    async with asyncio.timeout(self._seconds):
                        header, body = await child.hear()
                return header, body
        except TimeoutError as error:
            raise Unreadable(
                "parse_timeout",
                f"Parsing took longer than {self._seconds:g} seconds and was stopped. Split the document.",
            ) from error
        except (EOFError, OSError, ValueError) as error:
            code = await child.end(kill=False)
            raise self._why(code, child.tail) from error

    def _why(self, code: int, tail: bytes) -> Unreadable:
        """Why a child ended. Nobody but the kernel, short of memory, sends SIGKILL to a child that is not overdue."""
        if code == -signal.SIGALRM:
            return Unreadable(
                "parse_timeout", "Parsing took too long and was stopped. Split the document."
            )
        if code == -signal.SIGKILL or any(sign in tail for sign in _OUT_OF_MEMORY):
            return Unreadable(
                "parse_memory",
                f"Parsing needed more than {self._memory // 1024**2:,} MiB of memory and was stopped. "
                "Split the document.",
            )
        return Unreadable(
            "parse_crashed",
            "The file made its parser crash, so it is most likely damaged. Save it anew and add it again.",
        )
