"""Named steps at which a test has a process die: between two effects, where a crash could lose or double something.

    GRISTMILL_FAILPOINT="recorder.committed:3" python -m services.ledger     # kill -9 itself there the third time
    GRISTMILL_FAILPOINT="relay.commands_read=stop,worker.said=raise" ...     # SIGSTOP itself; raise ``Failed``

Armed only by the environment that a process is started with, and never by a request, a message or a settings file. Off,
a point costs one call that returns (about 30 ns). ``tests/faults`` has each of them hit in a real process.
"""

import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shared.errors import GristmillError

VARIABLE = "GRISTMILL_FAILPOINT"

Point = Literal[
    # A worker, whichever service it is.
    "worker.received",  # a command came from the bus; it is not read yet
    "worker.beat",  # the units that are held were named; their messages are not kept alive yet
    "worker.answered",  # a model answered, and is paid; nobody knows the answer yet
    "worker.answer_said",  # the bus has an answer that led to no outcome yet
    "worker.outcome",  # a unit is done; its outcome is not said
    "worker.puback",  # the bus has the outcome
    "worker.said",  # all outcomes of a command are said; it is not acknowledged
    "worker.acked",  # the acknowledgement is on its way
    # What a worker, the gateway or the ledger gives to the folder of blobs.
    "blobs.written",  # the bytes are on the disk under a name that nobody reads
    "blobs.placed",  # they have their name; nobody was told
    # The ledger's recorder: one batch, one transaction.
    "recorder.fetched",  # messages were taken from the bus
    "recorder.locked",  # the log is locked
    "recorder.folded",  # what came and what follows of it is decided; nothing is written
    "recorder.inserted",  # everything is written; nothing is committed
    "recorder.committed",  # nobody is answered yet
    "recorder.answered",  # nothing is acknowledged
    "recorder.acked",
    "reconciler.reissued",  # units are to be published again; not committed
    # The ledger's relay.
    "relay.commands_read",
    "relay.commands_published",  # the bus has them; they are not marked
    "relay.commands_marked",
    "relay.events_read",
    "relay.events_published",
    "relay.events_marked",
    # The gateway's views.
    "projector.read",
    "projector.folded",  # rows are written; not committed
    "projector.committed",
    # The gateway's requests.
    "gateway.asked",  # a request is checked; the ledger has not heard it
    "gateway.accepted",  # the ledger has recorded it; whoever asked does not know
    "gateway.answered",  # the views show it; the answer is not sent
    # The writing of a dataset's files.
    "export.part_written",  # a file is complete in a folder that nobody reads
    "export.finished",  # every file is kept and laid; nobody was told
]
"""Every failpoint. A type, so that a call with a name that is not listed is found before anything runs."""

NAMES: tuple[Point, ...] = get_args(Point)
_SPEC = re.compile(r"([a-z_.]+)(?::([1-9][0-9]{0,8}))?(?:=(kill|stop|raise))?")


class Failed(Exception):
    """What the action ``raise`` raises: a failure that no code foresees."""


@dataclass(slots=True)
class _Armed:
    action: str
    left: int
    """Times that the point is still passed, the one that fails included; none of those after it fails."""


_armed: dict[str, _Armed] | None = None


def failpoint(name: Point) -> None:
    """Mark a step. Does nothing, unless this process was started to fail here."""
    if _armed is not None:
        _reached(name)


def arm(environ: Mapping[str, str]) -> None:
    """Arm what a process was started with; called once, by whoever runs the process.

    Raises ``GristmillError`` (``failpoint_unknown``) where it cannot be understood: a test that fails nowhere would
    prove nothing.
    """
    global _armed  # noqa: PLW0603 - a process is armed as a whole
    said = environ.get(VARIABLE, "")
    _armed = dict(map(_parsed, said.split(","))) if said else None


def _parsed(said: str) -> tuple[str, _Armed]:
    found = _SPEC.fullmatch(said.strip())
    if found is None or found[1] not in NAMES:
        raise GristmillError(
            "failpoint_unknown",
            f"{VARIABLE}: {said.strip()[:100]!r} is no failpoint. One is written NAME, NAME:TIMES or NAME:TIMES=ACTION"
            f" with kill, stop or raise as the action, and NAME is one of {', '.join(NAMES)}.",
        )
    return found[1], _Armed(found[3] or "kill", int(found[2] or 1))


def _reached(name: str) -> None:
    armed = (_armed or {}).get(name)
    if armed is None:
        return
    armed.left -= 1
    if armed.left:
        return
    sys.stderr.write(f"failpoint {name}: {armed.action}\n")
    sys.stderr.flush()
    match armed.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case _:
            raise Failed(name)
