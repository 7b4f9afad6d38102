"""The process that parses files: limited in memory and time, tied to its parent's life, with one pipe in and one out.

Run as ``python -m services.ingest.child PARENT_PID MEMORY_BYTES SECONDS``. Never opens a file or a connection.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from services.ingest import frame
from services.ingest.parsers import Means, Ocr, Unreadable, parse

_PR_SET_PDEATHSIG = 1
# Mapped files, thread stacks and reserved space count as address space but not as data.
_RESERVED = 2 * 1024**3


def tie_to_parent(parent: int) -> None:
    """Die with the parent. Off Linux the end of the pipe does this, and the alarm of a document that runs on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def limit_memory(size: int) -> None:
    """Let an allocation beyond ``size`` bytes fail in this process, rather than press on the whole machine."""
    wanted = (
        (resource.RLIMIT_DATA, size),
        (resource.RLIMIT_AS, size + _RESERVED),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (allowed, allowed))
        except (ValueError, OSError):
            # macOS refuses some of these; time still limits the child there.
            continue


def answer(header: dict[str, Any], data: bytes, progress: Callable[[], None]) -> bytes:
    """The frame that answers one request."""
    try:
        if "split" in header:
            from services.ingest.parsers.splitting import split_pdf

            cut = split_pdf(data, header["name"], **header["split"])
            return frame.encode({"pages": cut.pages, "parts": cut.listed()}, cut.bytes())
        ocr = Ocr(tuple(header["ocr"]["languages"]), tuple(header["ocr"]["missing"]))
        parsed = parse(header["name"], data, Means(ocr, progress))
    except Unreadable as reason:
        return frame.encode({"code": reason.code, "message": reason.message})
    said = {
        "parser": parsed.parser,
        "structure": parsed.structure.model_dump(mode="json"),
        "source_url": parsed.source_url,
        "published": parsed.published,
    }
    return frame.encode(said, parsed.text.encode())


def serve(source: BinaryIO, sink: BinaryIO, seconds: float) -> None:
    """Answer requests until the pipe ends. The alarm ends a process whose parent is no longer there to do so.

    After each picture that was looked at an empty frame goes out, and the time is counted anew.
    """

    def progress() -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        sink.write(frame.encode({"working": True}))
        sink.flush()

    while (request := frame.read(source)) is not None:
        header, data = request
        if "name" not in header:
            # The parent asks whether this process still lives.
            sink.write(frame.encode({}))
            sink.flush()
            continue
        signal.setitimer(signal.ITIMER_REAL, seconds)
        reply = answer(header, data, progress)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sink.write(reply)
        sink.flush()


def main() -> None:
    parent, memory, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    tie_to_parent(parent)
    limit_memory(memory)
    # What a library prints must not get between the frames.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, sink, seconds)


if __name__ == "__main__":
    main()
