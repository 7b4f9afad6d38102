"""A passage read once: its blocks, the sentences in them, their clauses and the scene around them."""

from dataclasses import dataclass

from services.generate.extractive import words
from services.generate.extractive.blocks import Block, blocks
from services.generate.extractive.clauses import Clause, clause
from services.generate.extractive.clean import Clean, clean
from services.generate.extractive.passage import Passage
from services.generate.extractive.scene import Scene, scene
from services.generate.extractive.sentences import Sentence, sentences


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``item``: whether it is an item of a list."""

    clean: Clean
    sentences: tuple[Sentence, ...]
    headings: tuple[str, ...]
    item: bool


@dataclass(frozen=True, slots=True)
class Page:
    """``headings[i]`` is the path of headings over block i, those of the passage's own path included."""

    passage: Passage
    blocks: tuple[Block, ...]
    headings: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    """The clean text of each block; "" for tables."""
    paragraphs: tuple[Paragraph, ...]
    sentences: tuple[Sentence, ...]
    clauses: tuple[Clause, ...]
    scene: Scene


def read(passage: Passage) -> Page:
    """Take a passage apart; any text will do."""
    found = blocks(passage.text)
    cleaned = [clean(passage.text, block.start, block.end) for block in found]
    paths = _paths(passage, found, cleaned)
    paragraphs = _paragraphs(passage.text, found, cleaned, paths)
    inner = tuple(
        part.text for part, block in zip(cleaned, found, strict=True) if block.kind == "heading"
    )
    prose = "\n".join(paragraph.clean.text for paragraph in paragraphs)
    around = scene(passage, prose, inner)
    every = tuple(sentence for paragraph in paragraphs for sentence in paragraph.sentences)
    taken = (clause(sentence, around) for sentence in every)
    return Page(
        passage=passage,
        blocks=found,
        headings=paths,
        texts=tuple(
            "" if b.kind == "table" else c.text for b, c in zip(found, cleaned, strict=True)
        ),
        paragraphs=paragraphs,
        sentences=every,
        clauses=tuple(part for part in taken if part is not None),
        scene=around,
    )


def _paths(
    passage: Passage, found: tuple[Block, ...], cleaned: list[Clean]
) -> tuple[tuple[str, ...], ...]:
    """The headings over each block; a heading's own text is not over itself."""
    open_headings: list[tuple[int, str]] = []
    paths = []
    outer = passage.heading_path
    for block, text in zip(found, cleaned, strict=True):
        if block.kind == "heading":
            while open_headings and open_headings[-1][0] >= block.level:
                open_headings.pop()
        own = tuple(name for _, name in open_headings)
        paths.append(outer if own and outer[-len(own) :] == own else outer + own)
        if block.kind == "heading":
            open_headings.append((block.level, text.text))
    return tuple(paths)


def _paragraphs(
    raw: str, found: tuple[Block, ...], cleaned: list[Clean], paths: tuple[tuple[str, ...], ...]
) -> tuple[Paragraph, ...]:
    out: list[Paragraph] = []
    count = 0
    for block, text, path in zip(found, cleaned, paths, strict=True):
        if block.kind == "paragraph":
            parts = [(text, False)]
        elif block.kind == "list":
            parts = [(clean(raw, item.start, item.end), True) for item in block.items]
        else:
            continue
        for part, item in parts:
            own = tuple(sentences(raw, part, path, len(out), count))
            count += len(own)
            out.append(Paragraph(part, own, path, item))
    return tuple(out)


def english(page: Page) -> bool:
    """Whether the passage reads as English: at least one word in eight is one of its commonest."""
    seen = [
        word for paragraph in page.paragraphs for word in words.words(paragraph.clean.text.lower())
    ]
    return len(seen) < 20 or sum(word in _COMMONEST for word in seen) >= len(seen) / 8


_COMMONEST = frozenset(
    "the of and to in is are was were that for with as by on it from be this an which at or has have not can".split()
)
