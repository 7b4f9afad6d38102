"""Which entries a summary shows: a few, spread over documents and over each document. Pure."""

from collections.abc import Iterable, Sequence

from services.cli.answers import Entry

SHOWN = 5


def spread(entries: Iterable[Entry], count: int = SHOWN) -> list[Entry]:
    """Up to ``count`` entries: each document has its turn before any has a second; within a document the first of
    each kind comes before the second of any, starting from its middle.
    """
    documents: dict[str | None, list[Entry]] = {}
    for entry in entries:
        documents.setdefault(entry.metadata.document, []).append(entry)
    # A page number says more than a heading, so documents that have one come first.
    paged = sorted(documents.values(), key=lambda found: found[0].metadata.page is None)
    queues = [_varied(found) for found in paged]
    chosen: list[Entry] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(_next(queue, chosen))
    return chosen


def _next(queue: list[Entry], chosen: Sequence[Entry]) -> Entry:
    """The first of a kind that was not shown yet, else the first."""
    kinds = {entry.kind for entry in chosen}
    fresh = next((n for n, entry in enumerate(queue) if entry.kind not in kinds), 0)
    return queue.pop(fresh)


def _varied(entries: Sequence[Entry]) -> list[Entry]:
    """From the middle on, round to the beginning: the first lines of a document are alike everywhere."""
    middle = len(entries) // 2
    return [*entries[middle:], *entries[:middle]]
