"""The README's table of events is the one that the registries make."""

from pathlib import Path

from contracts import COMMANDS, EVENTS, REPORTS
from contracts.schemas import event_table

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- events -->", "<!-- /events -->"


def test_the_readme_holds_the_table_of_events_as_it_is() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == 1, f"README.md has no {BEGIN}"
    assert text.count(END) == 1, f"README.md has no {END}"
    between = text.partition(BEGIN)[2].partition(END)[0]
    assert between.strip() == event_table(), (
        f"between {BEGIN} and {END} README.md must hold what this prints: "
        'python -c "from contracts.schemas import event_table as t; print(t())"'
    )


def test_the_table_has_one_row_for_every_message() -> None:
    rows = [line for line in event_table().splitlines() if line.startswith("| `")]
    named = [row.split("`")[1] for row in rows]
    wanted = {cls.__name__ for cls in (*EVENTS.values(), *REPORTS.values(), *COMMANDS.values())}
    assert sorted(named) == sorted(wanted)
    # A bar inside a cell would make a fifth column.
    assert {row.replace(r"\|", "").count("|") for row in rows} == {5}
