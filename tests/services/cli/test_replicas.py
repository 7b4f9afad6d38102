"""What `--replicas` says, and how further processes are called."""

import pytest

from services.cli.replicas import processes, replicas
from services.cli.tree import watched_ports
from shared.errors import Refused
from shared.stack import SERVICES, free_port


def test_services_that_are_not_named_have_one_process() -> None:
    assert replicas("", SERVICES) == dict.fromkeys(SERVICES, 1)
    wanted = replicas(" generate=2, ledger = 3,", SERVICES)
    assert (wanted["generate"], wanted["ledger"], wanted["curate"]) == (2, 3, 1)


@pytest.mark.parametrize(
    "text", ["generate", "generate=", "generate=0", "generate=9", "generate=-1", "grind=2",
             "gateway=2", "generate=two", "=2"],
)  # fmt: skip
def test_what_cannot_be_had_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        replicas(text, SERVICES)
    assert (refused.value.code, refused.value.field) == ("invalid_replicas", "replicas")


def test_further_processes_are_numbered_and_come_last() -> None:
    names = processes({"gateway": 1, "ledger": 2, "generate": 3})
    assert list(names) == ["gateway", "ledger", "generate", "ledger-2", "generate-2", "generate-3"]
    assert names["generate-3"] == "generate"


def test_ports_of_further_processes_follow_those_of_the_services() -> None:
    names = list(processes(replicas("generate=2", SERVICES)))
    first = free_port(distance=len(names) - 1)
    ports = watched_ports(first, names)
    assert ports["gateway"] == first
    assert ports["generate-2"] == first + len(SERVICES)
