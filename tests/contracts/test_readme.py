"""The table of messages, which the registries make."""

from contracts import COMMANDS, EVENTS, REPORTS
from contracts.schemas import event_table


def test_the_table_has_one_row_for_every_message() -> None:
    rows = [line for line in event_table().splitlines() if line.startswith("| `")]
    named = [row.split("`")[1] for row in rows]
    wanted = {cls.__name__ for cls in (*EVENTS.values(), *REPORTS.values(), *COMMANDS.values())}
    assert sorted(named) == sorted(wanted)
    # A bar inside a cell would make a fifth column.
    assert {row.replace(r"\|", "").count("|") for row in rows} == {5}
