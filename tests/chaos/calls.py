"""Model calls as the log has them against the server's own account: each matched to each, none paid twice.

A call that a fault cut off has no record in the log, and is made again: as often as calls were in flight then.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.call import CallSettled
from contracts.entries import EntriesGenerated
from tests.chaos.facts import Facts, Fault, Finding, Seen

PAID = frozenset({"ok", "malformed", "truncated"})
"""What the server counts as an answer: the model spoke, and its text was sent."""
CUT = frozenset({"gone", None})
"""The client left first; a real server would have gone on writing, and counting."""
SAME = {"rate_limited": "rate_limited", "server_error": "server_error"}
UNHEARD = frozenset({"network", "timeout", "cancelled"})
"""Outcomes of calls that may never have reached the server."""
COMMITTING = 1.0
"""Seconds that may lie between the time of an event and the moment at which others see it."""
ARRIVING = 1.0
"""Seconds that a request may be under way: its sender may be dead when it comes."""
CUTTING = frozenset({"kill", "stop", "cut", "full", "nats", "postgres", "store"})
"""Kinds of faults that may leave a call without its record, or have it made again."""


@dataclass(frozen=True, slots=True)
class Record:
    """A call as the log has it. ``at``: when it was written, in seconds since the epoch."""

    event: CallSettled
    at: float


Settled = Mapping[str, Record]


def calls(facts: Facts) -> Iterator[Finding]:
    settled = _settled(facts)
    told = [seen for seen in facts.seen if seen.call is not None]
    if not told and not settled:
        return
    seen = {each.call: each for each in told if each.call is not None}
    for name, n in Counter(each.call for each in told).items():
        if n > 1:
            yield Finding("call_named_twice", f"{name}: {n} requests")
    yield from _matched(settled, seen)
    yield from _unsettled(settled, told, facts.faults)
    yield from _answers(facts, seen)
    yield from _paid_again(settled, told)
    yield from _repeats(settled, told, facts.faults)


def _matched(settled: Settled, seen: Mapping[str, Seen]) -> Iterator[Finding]:
    """Every call of the log is one that the server saw, with the same end."""
    for name, record in settled.items():
        said, found = record.event, seen.get(name)
        if found is None:
            if said.outcome not in UNHEARD and not said.model.startswith("builtin/"):
                yield Finding("call_unseen", f"{name}, {said.outcome}, of unit {said.unit_id}")
        elif not _agree(said.outcome, found.outcome):
            yield Finding("call_differs", f"{name}: {said.outcome} is {found.outcome} there")


def _agree(said: str, found: str | None) -> bool:
    if said in SAME:
        return found == SAME[said]
    return said in UNHEARD or (said == "ok") == (found in PAID)


def _unsettled(
    settled: Settled, told: Sequence[Seen], faults: Sequence[Fault]
) -> Iterator[Finding]:
    """Every call that the server saw is in the log, unless a fault cut off whoever made it."""
    for each in told:
        if each.call in settled:
            continue
        if not any(_cuts_off(fault, each) for fault in faults):
            yield Finding(
                "call_unsettled", f"{each.call} of {each.by or 'somebody'}: {each.outcome}"
            )


def _cuts_off(fault: Fault, seen: Seen) -> bool:
    """Whether a fault may be why a call has no record: its worker died with it, or the bus lost what was said of it."""
    if fault.lost_since is not None:
        return fault.lost_since <= (seen.end or fault.until) and seen.begin <= fault.until
    return fault.kind == "kill" and fault.target == seen.by and seen.begin <= fault.at + ARRIVING


def _answers(facts: Facts, seen: Mapping[str, Seen]) -> Iterator[Finding]:
    """What entries were made from are answers that the server gave, each used by one unit."""
    given = {each.answer for each in seen.values() if each.outcome in PAID}
    users: dict[str, UUID] = {}
    for each in facts.events:
        if not isinstance(each.event, EntriesGenerated):
            continue
        for answer in facts.answers.get(each.event.call, ()):
            if answer not in given:
                yield Finding("answer_unknown", f"{answer} of unit {each.event.unit_id}")
            if users.setdefault(answer, each.event.unit_id) != each.event.unit_id:
                yield Finding("answer_used_twice", f"{answer} of unit {each.event.unit_id}")


def _units(settled: Settled, told: Sequence[Seen]) -> dict[str, set[UUID]]:
    """The units that asked each request. Two may say the same: a passage of which nothing came is asked once more."""
    units: dict[str, set[UUID]] = {each.request: set() for each in told}
    for each in told:
        if (found := settled.get(each.call or "")) is not None:
            units[each.request].add(found.event.unit_id)
    return units


def _paid_again(settled: Settled, told: Sequence[Seen]) -> Iterator[Finding]:
    """Nothing is asked whose answer had been recorded."""
    recorded: dict[tuple[str, UUID], float] = {}
    units = _units(settled, told)
    for each in told:
        found = settled.get(each.call or "")
        if found is not None and found.event.outcome == "ok":
            key = each.request, found.event.unit_id
            recorded[key] = min(found.at, recorded.get(key, found.at))
    for each in told:
        found = settled.get(each.call or "")
        if found is not None:
            asked = found.event.unit_id
        elif len(units[each.request]) == 1:
            asked = next(iter(units[each.request]))
        else:
            continue
        late = each.begin - recorded.get((each.request, asked), each.begin)
        if late > COMMITTING:
            yield Finding("paid_again", f"{each.call} by {each.by}, {late:.1f} s after its answer")


def repeats(settled: Settled, told: Sequence[Seen]) -> int:
    """How often a unit asked what it had been answered, or was being answered, before."""
    asked: Counter[str] = Counter()
    for each in told:
        found = settled.get(each.call or "")
        unheard = found is not None and found.event.outcome in UNHEARD
        if each.outcome in PAID | CUT and not unheard:
            asked[each.request] += 1
    units = _units(settled, told)
    return sum(max(0, n - max(1, len(units[request]))) for request, n in asked.items())


def allowance(settled: Settled, told: Sequence[Seen], faults: Sequence[Fault]) -> int:
    """Calls that may be made again: those in flight at a fault; where it struck who asks, those not recorded by then;
    where the bus lost its store, those whose answers it may have taken since.
    """
    allowed: set[tuple[str, float]] = set()
    for fault in faults:
        if fault.kind not in CUTTING:
            continue
        since = fault.at if fault.lost_since is None else fault.lost_since
        process = fault.target.partition(":")[0]
        for each in told:
            found = settled.get(each.call or "")
            known = found is not None and found.at <= since
            if each.begin > fault.until or known:
                continue
            in_flight = each.end is None or each.end >= fault.at
            if in_flight or process == each.by or fault.lost_since is not None:
                allowed.add((each.request, each.begin))
    return len(allowed)


def again(facts: Facts) -> tuple[int, int]:
    """How many calls of a history were repeated, and how many might have been."""
    settled = _settled(facts)
    return repeats(settled, facts.seen), allowance(settled, facts.seen, facts.faults)


def _settled(facts: Facts) -> Settled:
    return {
        str(each.event.call_id): Record(each.event, each.recorded_at.timestamp())
        for each in facts.events
        if isinstance(each.event, CallSettled)
    }


def _repeats(settled: Settled, told: Sequence[Seen], faults: Sequence[Fault]) -> Iterator[Finding]:
    made, allowed = repeats(settled, told), allowance(settled, told, faults)
    if made > allowed:
        yield Finding("repeats", f"{made} calls were repeated, {allowed} were in flight at faults")
