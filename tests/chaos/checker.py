"""Judges a history: pure functions of ``Facts``, each returning what it found wrong.

The measure is the log itself, folded here on its own, never a run without faults: whatever happened, these hold.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from uuid import UUID

from contracts.document import DocumentAdded, DocumentNamed
from contracts.entries import EntriesGenerated
from contracts.job import JobCancelled, JobCompleted, JobFailed, JobRestarted
from contracts.unit import UnitFailed
from shared.store import Position
from tests.chaos.admissions import admissions
from tests.chaos.calls import calls
from tests.chaos.equations import equations
from tests.chaos.facts import JOBS, Facts, Finding

ENDS = (JobCompleted, JobFailed, JobCancelled)
MOST_SHOWN = 5


def judge(facts: Facts) -> list[Finding]:
    """Everything that is wrong with a history; empty where nothing is."""
    return [finding for rule in RULES for finding in rule(facts)]


def log_is_whole(facts: Facts) -> Iterator[Finding]:
    """Every event once; positions and the versions of each stream without holes."""
    positions = [Position.parse(each.position).n for each in facts.events]
    if positions != list(range(1, len(positions) + 1)):
        wrong = [n for n, found in enumerate(positions, 1) if n != found]
        yield Finding("positions", f"not 1 to {len(positions)} from {wrong[0]} on")
    if facts.head != len(positions):
        yield Finding("positions", f"the head is {facts.head}, the log holds {len(positions)}")
    eras = [Position.parse(each.position).era for each in facts.events]
    if eras != sorted(eras):
        yield Finding("positions", "an era follows a later one")
    twice = [str(id) for id, n in Counter(each.id for each in facts.events).items() if n > 1]
    if twice:
        yield Finding("event_twice", ", ".join(twice[:MOST_SHOWN]))
    versions: dict[UUID, int] = {}
    for each in facts.events:
        expected = versions.get(each.stream, 0) + 1
        if each.version != expected:
            yield Finding("versions", f"{each.version} of {each.stream} where {expected} is due")
        versions[each.stream] = each.version
    for id, stream in facts.streams.items():
        if stream.version != versions.get(id, 0):
            yield Finding("versions", f"{id} says {stream.version}, has {versions.get(id, 0)}")


def requests_end(facts: Facts) -> Iterator[Finding]:
    """What was answered as recorded (or as queued) is there, and every job ended, once."""
    there = {each.stream for each in facts.events}
    there |= {
        each.event.document_id
        for each in facts.events
        if isinstance(each.event, DocumentAdded | DocumentNamed)
    }
    for told in facts.told:
        if told.id not in there and not (lost_on_the_bus(facts, told.at) and not told.recorded):
            kind = "recorded" if told.recorded else "queued"
            yield Finding("request_lost", f"{told.what} {told.id} was answered as {kind}")
    ends: Counter[UUID] = Counter()
    last: dict[UUID, bool] = {}
    for each in facts.events:
        if isinstance(each.event, (*ENDS, JobRestarted)):
            ended = not isinstance(each.event, JobRestarted)
            ends[each.stream] += 1 if ended else -1
            last[each.stream] = ended
    for id, stream in facts.streams.items():
        if stream.kind not in JOBS:
            continue
        if stream.open or not last.get(id, False):
            yield Finding("job_not_ended", f"{stream.kind} {id}")
        elif ends[id] != 1:
            yield Finding("job_ended_twice", f"{stream.kind} {id} ended {ends[id]} times")


def lost_on_the_bus(facts: Facts, at: float) -> bool:
    """Whether the bus lost what it took at this time."""
    return any(
        fault.lost_since is not None and fault.lost_since <= at <= fault.until
        for fault in facts.faults
    )


def units_end(facts: Facts) -> Iterator[Finding]:
    """No command without outcome: nothing is in flight for a job that ended, and the queues are empty."""
    for unit in facts.work:
        stream = facts.streams.get(unit.job)
        if not unit.done:
            yield Finding("unit_stuck", f"{unit.service} {unit.unit} of {unit.job}")
        elif stream is None or not stream.open:
            yield Finding("work_left", f"{unit.service} {unit.unit} of {unit.job}")
    for command, job in facts.commands:
        stream = facts.streams.get(job)
        if stream is None or not stream.open:
            yield Finding("command_left", f"{command} of {job}")
    for name, left in facts.waiting.items():
        if left:
            yield Finding("queue_not_empty", f"{left} messages in {name}")
    if facts.relayed != facts.head:
        yield Finding("not_announced", f"events after {facts.relayed} of {facts.head}")


def dead_are_the_poison(facts: Facts) -> Iterator[Finding]:
    """Dead letters are exactly the poison that was injected, and requests that were refused."""
    dead = Counter(each.id for each in facts.dead)
    for each in facts.dead:
        if each.id not in facts.poison and each.id not in facts.refused:
            yield Finding("dead_letter", f"{each.subject} {each.id}: {each.reason}")
    for id in facts.poison - dead.keys():
        if not any(fault.lost_since is not None for fault in facts.faults):
            yield Finding("poison_vanished", id)


def views_are_the_log(facts: Facts) -> Iterator[Finding]:
    """The live views equal those folded anew from the log, table by table and row by row."""
    for table in sorted(facts.views.keys() | facts.rebuilt.keys()):
        live, anew = facts.views.get(table, {}), facts.rebuilt.get(table, {})
        differ = [
            key for key in sorted(live.keys() | anew.keys()) if live.get(key) != anew.get(key)
        ]
        if differ:
            shown = "; ".join(
                f"{key}: live {live.get(key)}, anew {anew.get(key)}" for key in differ[:1]
            )
            yield Finding("views_differ", f"{len(differ)} rows of {table}: {shown}"[:2000])


def content_is_there(facts: Facts) -> Iterator[Finding]:
    """What an event names exists: bodies and blobs."""
    for each in facts.events:
        match each.event:
            case EntriesGenerated() as event:
                named = [event.body, event.call]
            case UnitFailed(call=UUID() as call):
                named = [call]
            case _:
                continue
        for body in named:
            if body not in facts.bodies:
                yield Finding("body_missing", f"{body} of {each.position}")
    for blob in facts.missing_blobs:
        yield Finding("blob_missing", blob)


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    log_is_whole,
    requests_end,
    equations,
    admissions,
    units_end,
    dead_are_the_poison,
    views_are_the_log,
    content_is_there,
    calls,
)
