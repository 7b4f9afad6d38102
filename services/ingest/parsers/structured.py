"""JSON, lines of JSON and XML as readable text. Expands no entity, follows no reference, keeps numbers as written."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from services.ingest.parsers import trees
from services.ingest.parsers.outcome import Extract, Unreadable
from services.ingest.parsers.plain import decode

JSON = "gristmill-json/1"
XML = "gristmill-xml/1"
DEEPEST = 100
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]{2,40})")
_TITLES = frozenset(("title", "head", "heading", "headline"))
_PROSE = frozenset(("p", "para", "paragraph", "text", "body", "abstract", "description", "content"))
_LONG = 200


def read_json(data: bytes) -> Extract:
    """One JSON value. Raise ``Unreadable``: corrupt_file, binary_file."""
    value = _value(decode(data), "The file is not valid JSON")
    return Extract(
        text=trees.write(value), parser=JSON, title=trees.name_of(value), titled_by_name=True
    )


def read_json_lines(data: bytes) -> Extract:
    """One JSON value a line, each a record. Raise ``Unreadable``: corrupt_file, binary_file."""
    lines = decode(data).splitlines()
    values = [
        _value(line, f"Line {number} is not valid JSON")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    return Extract(text=trees.write(values), parser=JSON, titled_by_name=True)


def _value(text: str, wrong: str) -> trees.Value:
    try:
        # Numbers stay the text that they are: no digit is lost, and none is too long.
        value: trees.Value = json.loads(
            text.lstrip("\ufeff"), parse_int=str, parse_float=str, parse_constant=str
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable("corrupt_file", f"{wrong}: {error.msg} ({place}).") from error
    _check_depth(value)
    return value


def _check_depth(value: trees.Value) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for each in level for child in _children(each)]
        if not level:
            return
    raise _too_deep()


def _children(value: trees.Value) -> "list[trees.Value]":
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> Unreadable:
    return Unreadable(
        "corrupt_file", f"The file's parts are nested more than {DEEPEST} deep: too deep to read."
    )


class _Builder:
    """A tree from expat's events, with no entity expanded but XML's own five."""

    def __init__(self) -> None:
        self.tree = ET.TreeBuilder()
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _too_deep()
        self.tree.start(_local(tag), {_local(name): value for name, value in attributes.items()})

    def end(self, tag: str) -> None:
        self._depth -= 1
        self.tree.end(_local(tag))

    @staticmethod
    def refuse(*_declaration: Any) -> None:
        raise Unreadable(
            "xml_entities",
            "The file declares XML entities, which are not expanded: save it with its text in place.",
        )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def xml_tree(data: bytes) -> ET.Element:
    """The root element of an XML document. Raise ``Unreadable``: corrupt_file, xml_entities."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.tree.data
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if "out of memory" in str(error):
            raise MemoryError from error
        raise Unreadable("corrupt_file", f"The file is not valid XML: {error}.") from error
    return builder.tree.close()


def read_xml(data: bytes) -> Extract:
    """Any XML document. Elements that hold elements become sections, leaves become lines, prose stays prose.

    Raise ``Unreadable``: corrupt_file, xml_entities, binary_file.
    """
    declared = _ENCODING.search(data[:512])
    text = decode(data, declared.group(1).decode() if declared else "")
    # Decoded here, so that every encoding that Python knows can be read; what the file declares no longer holds.
    root = xml_tree(re.sub(r"^\s*<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL).encode())
    blocks = list(_section(root, 1))
    title = _title_of(root)
    return Extract(
        text="\n\n".join(blocks) + "\n", parser=XML, title=title, titled_by_name=not title
    )


def _words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _is_leaf(element: ET.Element) -> bool:
    """Text without parts, or prose with marks in it."""
    return (
        not len(element)
        or bool((element.text or "").strip())
        or any((child.tail or "").strip() for child in element)
    )


def _title_of(element: ET.Element) -> str:
    found = next((child for child in element if child.tag.lower() in _TITLES), None)
    return _words(found)[:300] if found is not None and _is_leaf(found) else ""


def _line(element: ET.Element) -> str:
    text = _words(element)
    said = ", ".join(f"{name}: {value}" for name, value in element.attrib.items())
    if element.tag.lower() in _PROSE or len(text) > _LONG:
        return text
    if not text:
        return f"{element.tag}: {said}" if said else ""
    return f"{element.tag} ({said}): {text}" if said else f"{element.tag}: {text}"


def _section(element: ET.Element, level: int) -> "list[str]":
    """Blocks of an element that holds elements: its title or name, its own lines, then its parts."""
    if _is_leaf(element):
        return [_line(element)]
    title = _title_of(element)
    record = not title and all(_is_leaf(child) for child in element)
    blocks: list[str] = []
    lines = [f"{name}: {value}" for name, value in element.attrib.items()]
    if not record or level == 1:
        blocks.append("#" * min(level, 6) + " " + (title or element.tag))

    def put() -> None:
        if lines:
            blocks.append("\n".join(lines))
            lines.clear()

    for child in element:
        if title and child.tag.lower() in _TITLES and _words(child)[:300] == title:
            continue
        if not _is_leaf(child):
            put()
            blocks += _section(child, level + 1)
            continue
        line = _line(child)
        if child.tag.lower() in _PROSE or len(line) > _LONG:
            put()
            blocks.append(line)
        elif line:
            lines.append(line)
    put()
    return [block for block in blocks if block]
