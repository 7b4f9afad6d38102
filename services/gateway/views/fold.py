"""What each event means for the views: events in, row operations out. Knows no rows, no clock and no database.

An event alone decides its operations, so folding the log again, in batches of any size, gives the same rows. What
needs two facts at once (how many of a job's documents are ready) is joined when it is read.
"""

from collections.abc import Iterable, Iterator, Mapping

from contracts.message import Event, Recorded, wire_type
from services.gateway.views import dataset_rows, document_rows, job_rows, project_rows
from services.gateway.views.batch import Operation
from services.gateway.views.operations import Rule, place

RULES = project_rows.RULES | document_rows.RULES | job_rows.RULES | dataset_rows.RULES
"""Events that are not named mean nothing to the views, or are folded by ``many.sql``."""
NAMES = [wire_type(kind) for kind in RULES]


def parts(
    events: Iterable[Recorded[Event]], after: int, through: int
) -> Iterator[list[Recorded[Event]] | range]:
    """The stretch ``(after, through]`` of the log in order: runs of these events, which are folded here, and what lies
    between them, which is not, as ranges ``(start, stop]``.
    """
    run: list[Recorded[Event]] = []
    for recorded in events:
        here = place(recorded)
        if here > after + 1:
            if run:
                yield run
            yield range(after, here - 1)
            run = []
        run.append(recorded)
        after = here
    if run:
        yield run
    if through > after:
        yield range(after, through)


def rows_for(
    events: Iterable[Recorded[Event]], rules: Mapping[type[Event], Rule] = RULES
) -> Iterator[Operation]:
    """The row operations of these events, in order."""
    for recorded in events:
        rule = rules.get(type(recorded.event))
        if rule is not None:
            yield from rule(recorded)
