"""Block structure of Markdown and plain text."""

from hypothesis import given
from hypothesis import strategies as st

from services.generate.extractive.blocks import blocks


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in blocks(text)]


def test_headings_paragraphs_lists_and_tables_are_told_apart() -> None:
    text = "# One\n\nA line\nand more.\n\n- a\n- b\n  goes on\n\n| x | y |\n|---|---|\n| 1 | 2 |\n"
    assert [kind for kind, _ in kinds(text)] == ["heading", "paragraph", "list", "table"]
    assert kinds(text)[1][1] == "A line\nand more."
    assert len(blocks(text)[2].items) == 2
    assert len(blocks(text)[3].rows) == 2


def test_code_rules_captions_and_front_matter_are_left_out() -> None:
    text = "---\nname: x\n---\n\n```\ncode is here\n```\n\nFigure 3: a gate\n\n    indented code\n\n***\n\nProse stays."
    assert kinds(text) == [("paragraph", "Prose stays.")]


def test_underlined_bold_and_hanging_lines_are_headings() -> None:
    text = "Title\n=====\n\n**Why?**\n\nBecause.\n\nNAME\n    tar is a tool."
    assert [kind for kind, _ in kinds(text)] == [
        "heading",
        "heading",
        "paragraph",
        "heading",
        "paragraph",
    ]


def test_a_list_ends_where_prose_begins() -> None:
    text = "1. Do this.\n2. Do that.\n\nThen rest."
    assert [kind for kind, _ in kinds(text)] == ["list", "paragraph"]


@given(st.text(alphabet=st.sampled_from("ab#-*|>=` \n1.\t"), max_size=120))
def test_any_text_has_blocks_in_order(text: str) -> None:
    found = blocks(text)
    assert all(0 <= block.start <= block.end <= len(text) for block in found)
    assert [block.start for block in found] == sorted(block.start for block in found)
