"""Who says what to whom, as a table for people. Derived from the registries; invents nothing."""

import re
from collections.abc import Iterable

from contracts import COMMANDS, EVENTS, HEARS, REPORTS, REQUESTS, SAYS, SAYS_BESIDES, SERVICES
from contracts.message import CLOSED, Command, Message, Request, request_subject

OUTSIDE = "other systems"
WORKERS = "every worker"


def said_by(cls: type[Message]) -> tuple[str, ...]:
    """The services that say a message, in the order of the registries."""
    if issubclass(cls, Command):
        return ("ledger",)
    if cls in REPORTS.values():
        return (WORKERS,)
    workers = tuple(service for service, events in SAYS.items() if cls in events)
    if len(workers) == len(SAYS):
        workers = (WORKERS,)
    besides = tuple(service for service, events in SAYS_BESIDES.items() if cls in events)
    return (*workers, *besides, *([OUTSIDE] if _is_open(cls) else []))


def _is_open(cls: type[Message]) -> bool:
    """Whether other systems have the right to say it."""
    return issubclass(cls, Request) and not request_subject(cls, "").endswith(CLOSED)


def heard_by(cls: type[Message]) -> tuple[str, ...]:
    """The services that act on a message or show it. What nobody hears is kept to explain the past."""
    if issubclass(cls, Command):
        return (SERVICES[cls],)
    return tuple(service for service, events in HEARS.items() if cls in events)


def meaning(cls: type[Message]) -> str:
    """The first sentence of what a class says of itself."""
    said = " ".join((cls.__doc__ or "").split())
    return re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0]


def event_table() -> str:
    """Markdown: every request, event, report and command with who says it, who hears it and what it means."""
    facts = (cls for name, cls in EVENTS.items() if name not in REQUESTS)
    groups: tuple[tuple[str, Iterable[type[Message]]], ...] = (
        ("request", REQUESTS.values()),
        ("event", facts),
        ("report", REPORTS.values()),
        ("command", COMMANDS.values()),
    )
    return "\n\n".join(_rows(title, classes) for title, classes in groups)


def _rows(title: str, classes: Iterable[type[Message]]) -> str:
    head = f"| {title} | said by | heard by | meaning |\n|---|---|---|---|"
    rows = (
        f"| `{cls.__name__}` | {', '.join(said_by(cls))} | {', '.join(heard_by(cls)) or '–'}"
        f" | {_cell(meaning(cls))} |"
        for cls in classes
    )
    return "\n".join((head, *rows))


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("``", "`")
