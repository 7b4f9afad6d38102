"""What a Word file's style and numbering parts say about its paragraphs. Reads elements and opens nothing.

Source: ECMA-376 part 1, §17.7 (styles) and §17.9 (numbering).
"""

import re
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph takes from its style."""

    level: int = 0
    """1 to 9 for headings, 1 for the title; 0: text."""
    is_title: bool = False
    in_contents: bool = False
    """An entry of a table of contents."""
    number: str = ""
    """The list that the style puts its paragraphs in; empty: none."""
    number_level: int = 0


@dataclass(frozen=True, slots=True)
class Numbering:
    """Lists by number: their definition, the format and first number of each level, and which start over."""

    abstracts: dict[str, str] = field(default_factory=dict)
    levels: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    starting_over: frozenset[str] = frozenset()

    def abstract(self, number: str) -> str:
        return f"abstract {self.abstracts.get(number, number)}"

    def format(self, number: str, level: int) -> str:
        return self.levels.get((self.abstracts.get(number, ""), level), ("bullet", 1))[0]

    def start(self, number: str, level: int) -> int:
        return self.levels.get((self.abstracts.get(number, ""), level), ("bullet", 1))[1]

    def restarts(self, number: str) -> bool:
        return number in self.starting_over


def _value(parent: ET.Element | None, path: str) -> str:
    found = (
        parent.find("/".join(W + name for name in path.split("/"))) if parent is not None else None
    )
    return found.get(W + "val", "") if found is not None else ""


def _int(text: str, default: int) -> int:
    return int(text) if text.isdecimal() else default


def read_styles(root: ET.Element | None) -> dict[str, Style]:
    """Styles by id, each with what it takes from the styles that it is based on."""
    if root is None:
        return {}
    elements = {style.get(W + "styleId", ""): style for style in root.findall(W + "style")}
    return {name: _style(name, elements, frozenset()) for name in elements}


def _style(name: str, elements: dict[str, ET.Element], seen: frozenset[str]) -> Style:
    element = elements.get(name)
    if element is None or name in seen:
        return Style()
    base = _style(_value(element, "basedOn"), elements, seen | {name})
    label = _value(element, "name")
    number = _value(element, "pPr/numPr/numId")
    style = replace(
        base,
        number=number or base.number,
        number_level=_int(_value(element, "pPr/numPr/ilvl"), base.number_level),
        in_contents=base.in_contents or label.lower().startswith("toc "),
    )
    heading = _HEADING.fullmatch(label)
    outline = _int(_value(element, "pPr/outlineLvl"), 9)
    if label.lower() == "title":
        return replace(style, level=1, is_title=True)
    if heading:
        return replace(style, level=int(heading[1]))
    return replace(style, level=outline + 1) if outline < 9 else style


def read_numbering(root: ET.Element | None) -> Numbering:
    """The lists that a document defines; an absent part defines none."""
    if root is None:
        return Numbering()
    levels = {
        (abstract.get(W + "abstractNumId", ""), _int(level.get(W + "ilvl", ""), 0)): (
            _value(level, "numFmt") or "decimal",
            _int(_value(level, "start"), 1),
        )
        for abstract in root.findall(W + "abstractNum")
        for level in abstract.findall(W + "lvl")
    }
    numbers = {num.get(W + "numId", ""): num for num in root.findall(W + "num")}
    return Numbering(
        abstracts={name: _value(num, "abstractNumId") for name, num in numbers.items()},
        levels=levels,
        starting_over=frozenset(
            name for name, num in numbers.items() if num.find(f".//{W}startOverride") is not None
        ),
    )
