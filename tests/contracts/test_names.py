"""Names are mechanical, and what may be said is said and heard by somebody, as the code itself shows."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import contracts
from contracts import COMMANDS, EVENTS, HEARS, REPORTS, REQUESTS, SAYS, SAYS_BESIDES, SERVICES
from contracts.message import (
    Command,
    Event,
    Message,
    Request,
    event_subject,
    name_parts,
    request_subject,
    wire_type,
)
from contracts.schemas import PROMISED
from shared.bus import SERVICES as WORKERS
from shared.topology import streams

ROOT = Path(__file__).parents[2]
EVERYTHING: dict[str, type[Message]] = {**EVENTS, **REPORTS, **COMMANDS}
KINDS = (Message, Event, Request, Command)


def classes() -> Iterator[type[Message]]:
    """Every message class that a module of the contracts defines."""
    for module in pkgutil.walk_packages(contracts.__path__, "contracts."):
        if module.name.endswith("__main__"):
            continue
        found = importlib.import_module(module.name)
        for each in vars(found).values():
            if isinstance(each, type) and issubclass(each, Message) and each not in KINDS:
                yield each


def covers(pattern: str, subject: str) -> bool:
    """Whether a NATS subject pattern takes a subject."""
    wanted, said = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(said) >= len(wanted) and said[: len(wanted) - 1] == wanted[:-1]
    return len(wanted) == len(said) and all(
        want in ("*", say) for want, say in zip(wanted, said, strict=True)
    )


@pytest.mark.parametrize("type_", EVERYTHING)
def test_class_type_file_and_subject_are_one_name(type_: str) -> None:
    cls = EVERYTHING[type_]
    noun, verb, version = name_parts(cls)

    assert type_ == wire_type(cls) == f"gristmill.{noun}.{verb}.v{version}"
    assert cls.__module__ == f"contracts.{noun}", f"{cls.__name__} belongs in contracts/{noun}.py"
    words = [word.capitalize() for word in verb.split("_")]
    order = [*words, noun.capitalize()] if issubclass(cls, Command) else [noun.capitalize(), *words]
    assert cls.__name__ == "".join(order) + (f"V{version}" if version > 1 else "")
    if type_ in EVENTS:
        assert issubclass(cls, Event)
        assert event_subject(cls, "t") == f"gristmill.events.t.{noun}.{verb}"
    if type_ in REQUESTS:
        assert issubclass(cls, Request)
        # Deletions have a subject of their own, so that the right to say them has one.
        last = "deletion" if verb == "deletion_requested" else noun
        assert request_subject(cls, "t") == f"gristmill.requests.t.{last}"


def test_each_subject_falls_into_the_stream_that_is_meant_for_it() -> None:
    patterns = {str(each.name): each.subjects or [] for each in streams()}
    said = {event_subject(cls, "t"): "EVENTS" for cls in EVENTS.values()}
    said |= {request_subject(cls, "t"): "REQUESTS" for cls in REQUESTS.values()}
    said |= {f"gristmill.commands.{service}": "COMMANDS" for service in SERVICES.values()}
    said |= {f"gristmill.results.{service}": "INBOX" for service in SAYS}
    for subject, meant in said.items():
        taken = [
            name for name, all in patterns.items() if any(covers(each, subject) for each in all)
        ]
        assert taken == [meant], subject


def test_no_two_events_of_one_version_share_a_subject() -> None:
    subjects = [event_subject(cls, "t") for name, cls in EVENTS.items() if name.endswith(".v1")]
    assert len(set(subjects)) == len(subjects)


def test_every_class_that_can_be_said_is_registered() -> None:
    sayable = {each for each in classes() if issubclass(each, Event | Command)}
    assert {each.__name__ for each in sayable ^ set(EVERYTHING.values())} == set()


def test_requests_events_reports_and_commands_are_kept_apart() -> None:
    assert all(issubclass(cls, Request) for cls in REQUESTS.values())
    assert not [n for n, cls in EVENTS.items() if issubclass(cls, Request) and n not in REQUESTS]
    assert not EVENTS.keys() & (REPORTS.keys() | COMMANDS.keys())


def test_every_message_says_in_a_sentence_what_it_means() -> None:
    silent = [
        cls.__name__ for cls in EVERYTHING.values() if not (cls.__doc__ or "").strip().count(".")
    ]
    assert silent == [], "give the class a docstring that begins with a short sentence"


def test_every_event_is_said_by_somebody_and_every_command_has_a_service() -> None:
    said = {each for events in (*SAYS.values(), *SAYS_BESIDES.values()) for each in events}
    assert {cls.__name__ for cls in EVENTS.values() if cls not in said} == set()
    assert set(SERVICES) == set(COMMANDS.values())
    assert set(SERVICES.values()) == set(SAYS) == set(WORKERS)
    assert said <= set(EVENTS.values())


# -- what the code says and hears --------------------------------------------------------------------


@cache
def trees(service: str) -> tuple[ast.Module, ...]:
    folder = ROOT / service
    return tuple(ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py")))


def known(names: set[str]) -> set[str]:
    return names & {cls.__name__ for cls in EVERYTHING.values()}


def heard_in(trees: tuple[ast.Module, ...]) -> set[str]:
    """Names in ``case`` patterns, in the second argument of ``isinstance``, as keys of a dict, and what is read of the
    store as plain facts or marks.
    """
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.MatchClass(cls=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
                found |= {each.id for each in ast.walk(kinds) if isinstance(each, ast.Name)}
            case ast.Dict(keys=keys):
                found |= {each.id for each in keys if isinstance(each, ast.Name)}
            case ast.Call(func=ast.Attribute(attr="facts" | "marks")):
                found |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return known(found)


def made_in(trees: tuple[ast.Module, ...]) -> set[str]:
    """Names that are called: messages that are made there."""
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return known({call.func.id for call in calls if isinstance(call.func, ast.Name)})


def done_in(trees: tuple[ast.Module, ...]) -> set[str]:
    """Commands that a service takes: the first argument of each ``Work``."""
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Call(func=ast.Name(id="Work"), args=[ast.Name(id=name), *_]):
                found.add(name)
    return known(found)


SERVICES_THERE = sorted(path.parent.name for path in (ROOT / "services").glob("*/__init__.py"))


@pytest.mark.parametrize("service", SERVICES_THERE)
def test_a_service_hears_what_the_registry_says_it_hears(service: str) -> None:
    there = heard_in(trees(f"services/{service}")) - {cls.__name__ for cls in SERVICES}
    assert there == {cls.__name__ for cls in HEARS.get(service, ())}, "contracts.HEARS is wrong"


@pytest.mark.parametrize("service", SERVICES_THERE)
def test_a_service_says_what_the_registry_says_it_says(service: str) -> None:
    made = made_in(trees(f"services/{service}"))
    registered = {cls.__name__ for cls in (*SAYS.get(service, ()), *SAYS_BESIDES.get(service, ()))}
    by_the_runtime = made_in(trees("shared")) if service in SAYS else set()
    issued = {cls.__name__ for cls in SERVICES} if service == "ledger" else set()
    assert made - issued <= registered, "contracts.SAYS or SAYS_BESIDES lacks what is said"
    assert registered <= made | by_the_runtime, "contracts.SAYS or SAYS_BESIDES names what is not"


@pytest.mark.parametrize("service", sorted(SAYS))
def test_a_worker_does_the_commands_that_are_sent_to_it(service: str) -> None:
    sent = {cls.__name__ for cls, does in SERVICES.items() if does == service}
    assert done_in(trees(f"services/{service}")) == sent


def test_the_ledger_alone_issues_commands_and_issues_them_all() -> None:
    commands = {cls.__name__ for cls in SERVICES}
    issued = {name: made_in(trees(f"services/{name}")) & commands for name in SERVICES_THERE}
    assert issued.pop("ledger") == commands
    assert {name: made for name, made in issued.items() if made} == {}


def test_the_readers_of_the_code_find_what_they_are_for() -> None:
    tree = ast.parse(
        "match x:\n    case JobFailed() | JobCompleted(): pass\n"
        "isinstance(x, UnitFailed | int)\nR = {JobStarted: f}\n"
        "JobWaiting(reason='')\nWork(ParseDocument, parse)\n"
    )
    assert heard_in((tree,)) == {"JobFailed", "JobCompleted", "UnitFailed", "JobStarted"}
    assert made_in((tree,)) == {"JobWaiting"}
    assert done_in((tree,)) == {"ParseDocument"}


def test_a_second_version_is_a_class_of_its_own() -> None:
    later = type("EntriesGeneratedV2", (Event,), {})
    assert wire_type(later) == "gristmill.entries.generated.v2"


def test_everything_that_can_be_said_is_promised() -> None:
    assert EVERYTHING.keys() <= PROMISED.keys()
