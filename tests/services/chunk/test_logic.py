"""Chunks as a whole: ids, indices, pages, heading paths, the same for every strategy."""

import re
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from contracts.blob import BlobRef
from contracts.document import (
    OVERLAPPING,
    Chunking,
    Heading,
    PageSpan,
    SplitRule,
    Strategy,
    Structure,
)
from contracts.identity import chunk_id
from services.chunk.chunkers.refusal import ChunkingRefused
from services.chunk.chunkers.schema import matches
from services.chunk.logic import cut

DOCUMENT = UUID("5b0e2f0e-6a53-5a1b-9a33-3f3d3c3b3a39")
STRATEGIES: st.SearchStrategy[Strategy] = st.sampled_from(get_args(Strategy))
RULES = (
    SplitRule(type="pattern", value="^#|a+B"),
    SplitRule(type="delimiter", value="."),
    SplitRule(type="structure", value="heading"),
)


BARE = Structure(title="", language=None, headings=(), pages=())
NAMED = Chunking(
    strategy="token", size=2, tokenizer=BlobRef(kind="tokenizer", sha256="0" * 64, size=0)
)


def word_pieces() -> bytes:
    """A tokenizer.json whose words are "birds", "sing", and "un" + "##happy"."""
    vocabulary = {"[UNK]": 0, "un": 1, "##happy": 2, "birds": 3, "sing": 4}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(3)
    return tokenizer.to_str().encode()


def pieces(text: str, **said: Any) -> list[str]:
    chunks = cut(DOCUMENT, text, BARE, Chunking.model_validate(said))
    return [text[chunk.start : chunk.end] for chunk in chunks]


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Structure]:
    pages = draw(
        st.lists(st.text(alphabet="aB.é \n#", min_size=1, max_size=60), min_size=1, max_size=6)
    )
    text = "\n".join(pages)
    spans, at = [], 0
    for number, page in enumerate(pages, 1):
        spans.append(PageSpan(number=number, start=at, end=at + len(page)))
        at += len(page) + 1
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=5))
    headings = tuple(
        Heading(level=draw(st.integers(1, 4)), text=f"H{n}", start=n, end=min(n + 3, len(text)))
        for n in starts
    )
    structure = Structure(title="T", language=None, headings=headings, pages=tuple(spans))
    return text, structure


@st.composite
def chunkings(draw: st.DrawFn) -> Chunking:
    strategy, size = draw(STRATEGIES), draw(st.integers(1, 50))
    said: dict[str, Any] = {"strategy": strategy, "size": size}
    said["context_words"] = draw(st.none() | st.integers(0, 4))
    if strategy in OVERLAPPING:
        said["overlap"] = draw(st.integers(0, size - 1))
    if strategy == "delimiter":
        said["delimiters"] = draw(st.sampled_from([(), ("\n",), ("B.", ".", "B")]))
        said["merge"] = draw(st.booleans())
    if strategy == "semantic":
        said["similarity_drop"] = draw(st.sampled_from([0.0, 0.3, 1.0]))
    if strategy == "schema":
        said["rules"] = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=3))
        said["combine"] = draw(st.sampled_from(["any", "all"]))
        said["include_pattern"] = draw(st.booleans())
    return Chunking.model_validate(said)


@given(documents(), chunkings())
def test_chunks_are_numbered_named_and_cover_the_text(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document

    chunks = cut(DOCUMENT, text, structure, chunking)

    assert chunks == cut(DOCUMENT, text, structure, chunking)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.chunk_id == chunk_id(DOCUMENT, chunking.key(), chunk.index)
    covered = {n for chunk in chunks for n in range(chunk.start, chunk.end)}
    left_out = [n for n, char in enumerate(text) if n not in covered and not char.isspace()]
    if chunking.strategy == "delimiter":
        marks = {char for mark in chunking.delimiters for char in mark}
        assert all(text[n] in marks for n in left_out)
    else:
        assert left_out == []
    if chunks and chunking.strategy in OVERLAPPING:
        assert covered == set(range(len(text)))


@given(documents(), chunkings())
def test_chunks_ascend_and_pieces_fit_and_never_overlap(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document
    chunks = cut(DOCUMENT, text, structure, chunking)
    for chunk in chunks:
        assert chunk.start < chunk.end <= len(text)
        if chunking.strategy not in OVERLAPPING:
            assert chunk.end - chunk.start <= chunking.size
            assert text[chunk.start : chunk.end].strip()
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        if not chunking.overlap:
            assert before.end <= after.start


@given(documents(), chunkings())
def test_context_is_the_last_words_of_the_chunk_before(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document
    chunks = cut(DOCUMENT, text, structure, chunking)
    if chunking.context is None:
        assert all(chunk.context_start is None for chunk in chunks)
        return
    assert all(chunk.context_start == chunk.start for chunk in chunks[:1])
    for before, after in pairwise(chunks):
        assert after.context_start is not None
        assert before.start <= after.context_start <= after.start
        words = text[before.start : after.start].split()[-chunking.context or len(text) :]
        assert text[after.context_start : after.start].split() == words


TEXT = "One 2,500.5 word, and (a few) more: naïve 日本 B2B."
TOKENS = [
    "One",
    "2,500.5",
    "word",
    ",",
    "and",
    "(",
    "a",
    "few",
    ")",
    "more",
    ":",
    "naïve",
    "日",
    "本",
    "B2B",
    ".",
]


@given(st.integers(1, 20), st.data())
def test_token_windows_hold_as_many_tokens_as_asked_and_share_as_many(
    size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    chunks = cut(DOCUMENT, TEXT, BARE, Chunking(strategy="token", size=size, overlap=overlap))
    places, at = [], 0
    for token in TOKENS:
        at = TEXT.index(token, at)
        places.append(at)
        at += len(token)
    held = [[n for n in places if chunk.start <= n < chunk.end] for chunk in chunks]
    assert all(len(each) == size for each in held[:-1])
    assert 0 < len(held[-1]) <= size
    for before, after in pairwise(held):
        assert before[size - overlap :] == after[:overlap]


def test_a_named_tokenizer_counts_its_own_tokens() -> None:
    text = "unhappy birds sing"
    chunks = cut(DOCUMENT, text, BARE, NAMED, word_pieces())
    assert [text[c.start : c.end] for c in chunks] == ["unhappy ", "birds sing"]


def test_a_named_tokenizer_reads_a_long_text_in_stretches() -> None:
    text = "unhappy birds sing\n" * 12_000
    chunks = cut(DOCUMENT, text, BARE, NAMED, word_pieces())
    assert len(chunks) == 24_000
    assert "".join(text[c.start : c.end] for c in chunks) == text


@pytest.mark.parametrize("file", [b"", b"{}", b'{"model": {"type": "moon"}}', b"\xff"])
def test_a_file_that_is_no_tokenizer_is_refused(file: bytes) -> None:
    with pytest.raises(ChunkingRefused) as caught:
        cut(DOCUMENT, TEXT, BARE, NAMED, file)
    assert caught.value.code == "invalid_tokenizer"


def test_delimiters_split_and_their_pieces_are_stripped() -> None:
    text = " one \n\n two\nthree  ###\n\n"
    assert pieces(text, strategy="delimiter") == ["one", "two", "three  ###"]
    assert pieces(text, strategy="delimiter", delimiters=("##", "###")) == ["one \n\n two\nthree"]
    assert pieces(text, strategy="delimiter", merge=True, size=10) == ["one \n\n two", "three  ###"]


def test_a_piece_longer_than_its_size_is_cut_between_sentences() -> None:
    text = "---\nFirst sentence here. Second sentence here. Third one.\n---\nShort."
    found = pieces(text, strategy="delimiter", delimiters=("---",), size=45)
    assert found == ["First sentence here. Second sentence here.", "Third one.", "Short."]


FAQ = "Intro.\nQ: one?\nA: 1.\nQ: two?\nA: 2."


def test_a_pattern_opens_a_chunk_or_ends_the_one_before() -> None:
    rules = [{"type": "pattern", "value": "^Q:"}]
    found = pieces(FAQ, strategy="schema", rules=rules, include_pattern=True)
    assert found == ["Intro.", "Q: one?\nA: 1.", "Q: two?\nA: 2."]
    assert pieces(FAQ, strategy="schema", rules=rules) == [
        "Intro.\nQ:",
        "one?\nA: 1.\nQ:",
        "two?\nA: 2.",
    ]


def test_rules_split_where_any_says_so_or_where_all_do() -> None:
    rules = [{"type": "pattern", "value": "^Q:.*\n"}, {"type": "delimiter", "value": "two?\n"}]
    both = pieces(FAQ, strategy="schema", rules=rules, combine="all")
    assert both == ["Intro.\nQ: one?\nA: 1.\nQ: two?", "A: 2."]
    assert len(pieces(FAQ, strategy="schema", rules=rules)) == 3


def test_a_heading_opens_a_chunk() -> None:
    text = "before # A inside A"
    heading = Heading(level=1, text="A", start=7, end=10)
    structure = Structure(title="", language=None, headings=(heading,), pages=())
    chunking = Chunking(strategy="schema", rules=(RULES[2],))
    chunks = cut(DOCUMENT, text, structure, chunking)
    assert [(text[c.start : c.end], c.heading_path) for c in chunks] == [
        ("before", ()),
        ("# A inside A", ("A",)),
    ]


@given(st.text(alphabet="ab\n é𝔘", max_size=40))
def test_matches_are_those_of_pythons_own_engine(text: str) -> None:
    for pattern in ("a+", "^b", "$", "(a|b)é?", "(?i:A)b*"):
        own = [m.span() for m in re.finditer(pattern, text, re.MULTILINE) if m.group()]
        assert [span for span in matches(text, pattern) if span[0] < span[1]] == own


def test_a_pattern_that_blows_up_elsewhere_is_matched_in_linear_time() -> None:
    assert matches("a" * 200_000 + "b", "(a|aa)+$") == []
    assert matches("x" * 200_000, "(x+x+)+y") == []


def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused() -> None:
    rule = SplitRule.model_construct(type="pattern", value="(?=a)b")
    chunking = Chunking(strategy="schema", rules=(RULES[1],)).model_copy(update={"rules": (rule,)})
    with pytest.raises(ChunkingRefused) as caught:
        cut(DOCUMENT, TEXT, BARE, chunking)
    assert caught.value.code == "invalid_pattern"


def test_a_new_chunk_begins_where_the_words_change() -> None:
    bees = "Bees gather nectar. A bee carries nectar to the hive. The hive keeps nectar as honey. "
    ships = (
        "Ships cross the canal. A ship waits at the lock. The lock lifts each ship in the canal. "
    )
    found = pieces(bees + ships, strategy="semantic", size=400)
    assert found == [bees.strip(), ships.strip()]
    assert pieces(bees + ships, strategy="semantic", size=400, similarity_drop=0.0) == [
        (bees + ships).strip()
    ]


def test_what_is_at_its_default_does_not_change_the_identity_of_a_way_of_cutting() -> None:
    assert Chunking().key() == "markdown/2000/0"
    assert Chunking(strategy="semantic").key() == "semantic/2000/0"
    other = Chunking(strategy="semantic", similarity_drop=0.5).key()
    assert other.startswith("semantic/2000/0/")
    assert other != Chunking(strategy="semantic", similarity_drop=0.6).key()


@given(documents(), chunkings())
def test_a_chunk_has_the_page_on_which_it_starts(
    document: tuple[str, Structure], chunking: Chunking
) -> None:
    text, structure = document
    for chunk in cut(DOCUMENT, text, structure, chunking):
        page = next((p for p in structure.pages if p.start <= chunk.start < p.end), None)
        if page:
            assert chunk.page == page.number


def test_a_chunk_that_starts_between_pages_has_the_page_it_reaches() -> None:
    pages = (PageSpan(number=1, start=0, end=4), PageSpan(number=2, start=6, end=10))
    structure = Structure(title="", language=None, headings=(), pages=pages)

    chunks = cut(DOCUMENT, "aaaa\n\nbbbb", structure, Chunking(strategy="character", size=5))
    inner = cut(DOCUMENT, "aaaa\n\nbbbb", structure, Chunking(strategy="character", size=1))

    assert [chunk.page for chunk in chunks] == [1, 2]
    assert [chunk.page for chunk in inner] == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_window_has_the_heading_path_in_force_where_it_starts() -> None:
    text = "before # A inside A ## B inside B"
    headings = (
        Heading(level=1, text="A", start=7, end=10),
        Heading(level=2, text="B", start=20, end=24),
    )
    structure = Structure(title="", language=None, headings=headings, pages=())

    chunks = cut(DOCUMENT, text, structure, Chunking(strategy="character", size=10))

    assert [chunk.heading_path for chunk in chunks] == [(), ("A",), ("A", "B"), ("A", "B")]


@pytest.mark.parametrize("strategy", [s for s in get_args(Strategy) if s != "schema"])
@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_blank_text_has_no_chunks(strategy: Strategy, text: str) -> None:
    structure = Structure(title="", language=None, headings=(), pages=())
    assert cut(DOCUMENT, text, structure, Chunking(strategy=strategy)) == []


def test_offsets_count_code_points() -> None:
    structure = Structure(title="", language=None, headings=(), pages=())
    text = "𝔘𝔫𝔦 👩‍👩‍👧 é"

    chunks = cut(DOCUMENT, text, structure, Chunking(strategy="character", size=3))

    assert "".join(text[chunk.start : chunk.end] for chunk in chunks) == text
    assert text[chunks[0].start : chunks[0].end] == "𝔘𝔫𝔦"
