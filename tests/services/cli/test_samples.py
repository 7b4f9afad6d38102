"""Which entries a summary shows."""

from collections.abc import Callable

from services.cli.answers import Entry
from services.cli.samples import spread

MakeEntry = Callable[..., Entry]


def test_every_document_has_its_turn_before_any_has_a_second(entry: MakeEntry) -> None:
    entries = [entry(f"a{n}", "a.md") for n in range(50)] + [entry("b", "b.md"), entry("c", "c.md")]
    chosen = spread(entries)
    assert [each.metadata.document for each in chosen] == ["a.md", "b.md", "c.md", "a.md", "a.md"]


def test_a_document_with_pages_comes_first(entry: MakeEntry) -> None:
    paged = entry("p", "p.pdf")
    paged = paged.model_copy(update={"metadata": paged.metadata.model_copy(update={"page": 2})})
    assert [each.id for each in spread([entry("a", "a.md"), paged])] == ["p", "a"]


def test_kinds_vary_where_they_can(entry: MakeEntry) -> None:
    kinds = ["fact"] * 6 + ["procedure", "definition"]
    chosen = spread(entry(str(n), kind=kind) for n, kind in enumerate(kinds))
    assert {each.kind for each in chosen[:3]} == {"fact", "procedure", "definition"}
    assert len({each.id for each in chosen}) == 5


def test_few_entries_are_all_shown_and_none_is_no_error(entry: MakeEntry) -> None:
    assert len(spread([entry("1"), entry("2")])) == 2
    assert spread([]) == []
