"""Entries are judged once, admitted once, in log order, and duplicates are those that a recomputation finds."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated, Verdict
from contracts.generation import GenerationRequested, GenerationSettings
from contracts.identity import dataset_id
from contracts.message import Event, Recorded
from services.curate.admission import Index, admit
from tests.chaos.facts import Facts, Finding

Log = Sequence[Recorded[Event]]


def admissions(facts: Facts) -> Iterator[Finding]:
    """Judge each dataset by the events of its own stream and of its job's."""
    streams: dict[UUID, list[Recorded[Event]]] = {}
    for recorded in facts.events:
        streams.setdefault(recorded.stream, []).append(recorded)
    taken: dict[UUID, UUID] = {}
    for recorded in facts.events:
        if isinstance(recorded.event, GenerationRequested):
            dataset = streams.get(dataset_id(recorded.stream), [])
            yield from _curated(streams[recorded.stream], dataset)
            yield from _once(dataset, taken)
            yield from _recomputed(dataset, recorded.event.settings)


def _curated(job: Log, dataset: Log) -> Iterator[Finding]:
    """Each verdict is of an entry of the stretch that was judged, in its order, and each entry is judged once."""
    made = {
        each.version: [entry.entry_id for entry in each.event.entries]
        for each in job
        if isinstance(each.event, EntriesGenerated)
    }
    judged: set[UUID] = set()
    for recorded in dataset:
        if not isinstance(recorded.event, EntriesCurated):
            continue
        event = recorded.event
        due = [
            entry
            for version, entries in made.items()
            if event.after < version <= event.through
            for entry in entries
        ]
        found = [verdict.entry_id for verdict in event.verdicts]
        if found != due:
            yield Finding("curated_differs", f"{recorded.position}: {len(found)} of {len(due)}")
        for entry in judged.intersection(found):
            yield Finding("judged_twice", f"entry {entry} at {recorded.position}")
        judged.update(found)


def _once(dataset: Log, taken: dict[UUID, UUID]) -> Iterator[Finding]:
    """No entry is admitted twice, whatever became of it, and none that had not passed."""
    passed: set[UUID] = set()
    for recorded in dataset:
        match recorded.event:
            case EntriesCurated() as event:
                passed |= {verdict.entry_id for verdict in event.verdicts if verdict.passed}
            case EntriesAdmitted() as event:
                named = [*event.accepted, *event.surplus]
                named += [each.entry_id for each in event.duplicates]
                for entry in named:
                    if entry in taken:
                        yield Finding("admitted_twice", f"entry {entry} at {recorded.position}")
                    if entry not in passed:
                        yield Finding("admitted_unjudged", f"entry {entry} at {recorded.position}")
                    taken[entry] = recorded.id


def _recomputed(dataset: Log, settings: GenerationSettings) -> Iterator[Finding]:
    """Admit again in log order, with an index that begins empty, and compare."""
    curated: Mapping[int, tuple[Verdict, ...]] = {
        each.version: each.event.verdicts
        for each in dataset
        if isinstance(each.event, EntriesCurated)
    }
    index, accepted, at = Index(), 0, 0
    for recorded in dataset:
        if not isinstance(recorded.event, EntriesAdmitted):
            continue
        event = recorded.event
        if event.after < at:
            yield Finding("admitted_again", f"{event.after} to {event.through}, after {at}")
        at = event.through
        candidates = [
            verdict
            for version, verdicts in curated.items()
            if event.after < version <= event.through
            for verdict in verdicts
        ]
        again = admit(index, candidates, settings.entries, accepted, settings)
        for name in ("accepted", "duplicates", "surplus"):
            if getattr(again, name) != getattr(event, name):
                differ = set(getattr(again, name)) ^ set(getattr(event, name))
                yield Finding(
                    "verdicts_differ", f"{recorded.position}: {len(differ)} {name} are others"
                )
        accepted += len(event.accepted)
