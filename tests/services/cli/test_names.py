"""Names of files, datasets and of the program."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.generate import name_of
from services.cli.names import file_extension, fresh_path, quoted, slug
from services.cli.sources import Web, source_of
from services.cli.wording import duration, plural, size


@given(st.text())
def test_a_slug_is_one_plain_word(words: str) -> None:
    found = slug(words)
    assert found
    assert not set(found) & set("/\\ \t\n\0'\"$")
    assert not found.startswith((".", "-"))
    assert slug(found) == found


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for expected in ("tea.jsonl", "tea-2.jsonl", "tea-3.jsonl"):
        path = fresh_path(tmp_path, "tea", "jsonl")
        assert path.name == expected
        path.touch()


def test_a_file_says_its_format() -> None:
    assert file_extension("jsonl", "dataset_1.jsonl") == "jsonl"
    assert file_extension("alpaca", "dataset_1.json") == "alpaca.json"
    assert file_extension("parquet", "parquet") == "parquet"


def test_paths_in_commands_are_short_and_fit_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert quoted(Path(".demo/data")) == ".demo/data"
    assert quoted(tmp_path / "a b") == "'a b'"
    assert shlex.split(quoted(tmp_path.parent / "it's")) == [str(tmp_path.parent / "it's")]


def test_a_dataset_is_named_after_its_files() -> None:
    assert name_of([Path("in/My report.pdf")]) == "My-report"
    assert name_of([Path("a.md"), Path("b.md"), Path("c.md")]) == "a-and-2-more"


def test_figures_are_said_as_people_say_them() -> None:
    assert [plural(1, "entry"), plural(1204, "entry")] == ["1 entry", "1,204 entries"]
    assert [size(1), size(999), size(92_100), size(5_410_000)] == [
        "1 byte",
        "999 bytes",
        "92.1 KB",
        "5.41 MB",
    ]
    assert [duration(5.44), duration(249), duration(7321)] == ["5.4 s", "4 min 9 s", "2 h 2 min"]


def test_a_word_that_begins_like_an_address_is_one_and_all_others_are_files() -> None:
    page = source_of("https://mill.example/wiki/The_Lamp.html?x=1")
    assert page == Web("https://mill.example/wiki/The_Lamp.html?x=1")
    assert name_of([page, Path("a.md")]) == "The_Lamp-and-1-more"
    assert name_of([Web("http://mill.example/")]) == "mill.example"
    assert source_of("httpfile.md") == Path("httpfile.md")
