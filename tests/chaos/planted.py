"""Violations to plant in a sound history, each with the rule that must find it. Pure: facts in, facts out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid5

from contracts.call import CallSettled
from contracts.dataset import DatasetCompleted, DatasetExported
from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated
from contracts.generation import GenerationPlanned
from contracts.identity import GRISTMILL
from contracts.job import JobCompleted
from contracts.message import Event, Recorded
from tests.chaos.facts import Dead, Facts, Told, Unit

NOBODY = uuid5(GRISTMILL, "nobody")
Plant = Callable[[Facts], Facts]


def _at(facts: Facts, kind: type[Event], wanted: Callable[[Any], bool] = lambda _: True) -> int:
    """Where the log holds the first event of this kind that is as wanted."""
    return next(
        n
        for n, each in enumerate(facts.events)
        if isinstance(each.event, kind) and wanted(each.event)
    )


def _events(facts: Facts, at: int, *instead: Recorded[Event]) -> Facts:
    return replace(facts, events=(*facts.events[:at], *instead, *facts.events[at + 1 :]))


def _changed(
    kind: type[Event], change: Callable[[Any], dict[str, Any]], wanted: Callable[[Any], bool]
) -> Plant:
    def plant(facts: Facts) -> Facts:
        at = _at(facts, kind, wanted)
        event = facts.events[at].event
        other = event.model_copy(update=change(event))
        return _events(facts, at, facts.events[at].model_copy(update={"event": other}))

    return plant


def _without(kind: type[Event]) -> Plant:
    return lambda facts: _events(facts, _at(facts, kind))


def _twice(kind: type[Event], wanted: Callable[[Any], bool] = lambda _: True) -> Plant:
    def plant(facts: Facts) -> Facts:
        at = _at(facts, kind, wanted)
        return _events(facts, at, facts.events[at], facts.events[at])

    return plant


def _counts(**changes: int) -> Plant:
    return _changed(
        DatasetCompleted,
        lambda event: {
            "counts": event.counts.model_copy(
                update={name: getattr(event.counts, name) + by for name, by in changes.items()}
            )
        },
        lambda _: True,
    )


def _state(facts: Facts) -> Facts:
    """The ledger's own count of a job is one off."""
    id = facts.events[_at(facts, GenerationPlanned)].stream
    state = dict(facts.streams[id].state or {})
    state["counts"] = state["counts"] | {"accepted": state["counts"]["accepted"] + 1}
    return replace(facts, streams={**facts.streams, id: replace(facts.streams[id], state=state)})


def _open(facts: Facts) -> Facts:
    id = facts.events[_at(facts, JobCompleted)].stream
    return replace(facts, streams={**facts.streams, id: replace(facts.streams[id], open=True)})


def _accepted_again(facts: Facts) -> Facts:
    """A later admission accepts what an earlier one did."""
    at = _at(facts, EntriesAdmitted, lambda event: len(event.accepted) > 0)
    event = facts.events[at].event
    assert isinstance(event, EntriesAdmitted)
    again = event.model_copy(update={"accepted": event.accepted + event.accepted[:1]})
    return _events(facts, at, facts.events[at].model_copy(update={"event": again}))


def _paid(facts: Facts) -> int:
    settled = {
        str(each.event.call_id): each.recorded_at.timestamp()
        for each in facts.events
        if isinstance(each.event, CallSettled) and each.event.outcome == "ok"
    }
    return next(n for n, each in enumerate(facts.seen) if each.call in settled)


def _asked_again(seconds: float) -> Plant:
    """The server is asked again what it had answered, so long after."""

    def plant(facts: Facts) -> Facts:
        seen = facts.seen[_paid(facts)]
        assert seen.end is not None
        again = replace(seen, call="again", begin=seen.end + seconds, end=seen.end + seconds + 1)
        return replace(facts, seen=(*facts.seen, again), faults=())

    return plant


def _seen(**changes: Any) -> Plant:
    def plant(facts: Facts) -> Facts:
        at = _paid(facts)
        other = replace(facts.seen[at], **changes)
        return replace(facts, seen=(*facts.seen[:at], other, *facts.seen[at + 1 :]))

    return plant


def _unseen(facts: Facts) -> Facts:
    at = _paid(facts)
    return replace(facts, seen=(*facts.seen[:at], *facts.seen[at + 1 :]))


def _named_twice(facts: Facts) -> Facts:
    return replace(facts, seen=(*facts.seen, facts.seen[_paid(facts)]))


def _unsettled(facts: Facts) -> Facts:
    return replace(_without(CallSettled)(facts), faults=())


def _view(facts: Facts) -> Facts:
    entries = dict(facts.views["entries"])
    key = next(iter(entries))
    entries[key] = (("status", "lost"),)
    return replace(facts, views={**facts.views, "entries": entries})


def _body(facts: Facts) -> Facts:
    event = facts.events[_at(facts, EntriesGenerated)].event
    assert isinstance(event, EntriesGenerated)
    return replace(facts, bodies=facts.bodies - {event.body})


def _any(_: Any) -> bool:
    return True


def _reversed(event: EntriesCurated) -> dict[str, Any]:
    return {"verdicts": tuple(reversed(event.verdicts))}


LETTER = Dead("of-nobody", "gristmill.results.curate", "broken")
JOB = Told("job", NOBODY, recorded=True, at=0.0)
STUCK = Unit(NOBODY, NOBODY, "generate", done=False)

PLANTED: dict[str, tuple[str, Plant]] = {
    "an event is gone": ("positions", _without(EntriesCurated)),
    "the head is ahead": ("positions", lambda facts: replace(facts, head=facts.head + 1)),
    "an event is there twice": ("event_twice", _twice(EntriesGenerated)),
    "a version is missing": ("versions", _without(EntriesGenerated)),
    "a recorded request is gone": ("request_lost", lambda f: replace(f, told=(*f.told, JOB))),
    "a job never ended": ("job_not_ended", _open),
    "a job has no last event": ("job_not_ended", _without(JobCompleted)),
    "a job ended twice": ("job_ended_twice", _twice(JobCompleted)),
    "a unit has two outcomes": ("two_outcomes", _twice(EntriesGenerated)),
    "seeds do not add up": ("seeds_equation", _counts(done=1)),
    "entries do not add up": ("entries_equation", _counts(accepted=1)),
    "a count differs from the log": ("counts_differ", _counts(done=-1, not_needed=1)),
    "a count of the ledger differs from the log": ("counts_differ", _state),
    "entries are missing twice": (
        "wanted_equation",
        _changed(
            DatasetCompleted,
            lambda event: {"missing": event.missing + 1},
            lambda event: event.wanted is not None,
        ),
    ),
    "a file has fewer entries": (
        "export_differs",
        _changed(DatasetExported, lambda event: {"entries": event.entries - 1}, _any),
    ),
    "a dataset has no files": ("export_missing", _without(DatasetExported)),
    "an entry is admitted twice": ("admitted_twice", _accepted_again),
    "an entry is judged twice": (
        "judged_twice",
        _twice(EntriesCurated, lambda e: len(e.verdicts) > 0),
    ),
    "entries are judged in another order": (
        "curated_differs",
        _changed(EntriesCurated, _reversed, lambda event: len(event.verdicts) > 1),
    ),
    "a duplicate is accepted": (
        "verdicts_differ",
        _changed(
            EntriesAdmitted,
            lambda event: {
                "accepted": (*event.accepted, event.duplicates[0].entry_id),
                "duplicates": event.duplicates[1:],
            },
            lambda event: len(event.duplicates) > 0,
        ),
    ),
    "a good entry is dropped": (
        "verdicts_differ",
        _changed(
            EntriesAdmitted,
            lambda event: {"accepted": event.accepted[:-1]},
            lambda event: len(event.accepted) > 0,
        ),
    ),
    "a unit is stuck": ("unit_stuck", lambda facts: replace(facts, work=(STUCK,))),
    "work of an ended job is left": (
        "work_left",
        lambda facts: replace(facts, work=(replace(STUCK, done=True),)),
    ),
    "a command is left": (
        "command_left",
        lambda facts: replace(facts, commands=((NOBODY, NOBODY),)),
    ),
    "a message is left": ("queue_not_empty", lambda f: replace(f, waiting={"INBOX": 1})),
    "an event is not announced": ("not_announced", lambda f: replace(f, relayed=f.head - 1)),
    "something good is dead": ("dead_letter", lambda f: replace(f, dead=(*f.dead, LETTER))),
    "poison has vanished": (
        "poison_vanished",
        lambda facts: replace(facts, poison=facts.poison | {"of-us"}, faults=()),
    ),
    "a view differs": ("views_differ", _view),
    "a view lacks rows": ("views_differ", lambda f: replace(f, views={**f.views, "jobs": {}})),
    "a body is gone": ("body_missing", _body),
    "a blob is gone": ("blob_missing", lambda facts: replace(facts, missing_blobs=("plan",))),
    "a call is in no record of the log": ("call_unsettled", _unsettled),
    "a call was never made": ("call_unseen", _unseen),
    "a call ended otherwise": ("call_differs", _seen(outcome="server_error")),
    "a call's name is used twice": ("call_named_twice", _named_twice),
    "an answer is not the server's": ("answer_unknown", _seen(answer="another")),
    "a recorded answer is bought again": ("paid_again", _asked_again(60.0)),
    "an answer is bought twice without a fault": ("repeats", _asked_again(0.1)),
}
"""By what is planted: the rule that finds it."""
