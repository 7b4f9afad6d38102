"""Finding formats: a stranger's works like a built-in one, a broken one harms nobody else."""

from pathlib import Path

import pytest

from services.export.formats.registry import find, load, names
from shared.errors import GristmillError, Refused


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package installed beside ours, with formats of its own."""
    info = tmp_path / "stranger_formats-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger-formats\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[gristmill.formats]\n"
        "lines = stranger_formats:LINES\n"
        "absent = stranger_formats:ABSENT\n"
        "missing = no_such_module_here:FORMAT\n"
        "shapeless = stranger_formats:SHAPELESS\n"
        "misnamed = stranger_formats:LINES\n"
        "json = stranger_formats:LINES\n"
    )
    (tmp_path / "stranger_formats.py").write_text(
        "class Lines:\n"
        "    name, extension, media = 'lines', 'txt', 'text/plain'\n"
        "    def refuses(self, types): return None\n"
        "    def write(self, rows, out): return sum(out.write(b'row\\n') > 0 for row in rows)\n"
        "LINES, SHAPELESS = Lines(), object()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match="alpaca, chatml, json, jsonl, openai, parquet") as refused:
        find("docx")

    assert refused.value.code == "format_unknown"


def test_a_strangers_format_is_found_by_its_entry_point(stranger: Path) -> None:
    assert "lines" in names()
    assert find("lines").extension == "txt"


@pytest.mark.parametrize("name", ["absent", "missing", "shapeless", "misnamed"])
def test_a_broken_format_says_so_and_the_others_work(stranger: Path, name: str) -> None:
    with pytest.raises(GristmillError) as broken:
        find(name)

    assert broken.value.code == "format_broken"
    assert find("jsonl").name == "jsonl"


def test_a_name_that_two_packages_claim_is_nobodys(stranger: Path) -> None:
    with pytest.raises(GristmillError) as ambiguous:
        find("json")

    assert ambiguous.value.code == "format_ambiguous"
    with pytest.raises(GristmillError):
        load()
