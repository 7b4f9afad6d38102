"""What each event means for the views: events in, row operations out. Knows no rows, no clock and no database.

An event alone decides its operations, so folding the log again, in batches of any size, gives the same rows. What
needs two facts at once (how many of a job's documents are ready) is joined when it is read.
"""

from collections.abc import Iterable, Iterator

from contracts.message import Event, Recorded
from services.gateway.views import dataset_rows, document_rows, job_rows, project_rows
from services.gateway.views.batch import Operation

RULES = project_rows.RULES | document_rows.RULES | job_rows.RULES | dataset_rows.RULES
"""Events that are not named mean nothing to the views."""


def rows_for(events: Iterable[Recorded[Event]]) -> Iterator[Operation]:
    """The row operations of these events, in order."""
    for recorded in events:
        rule = RULES.get(type(recorded.event))
        if rule is not None:
            yield from rule(recorded)
