"""One entry from the bytes of its file to its verdict, as a page. Pure; a link that was erased is said to be."""

import json
from collections.abc import Iterator, Sequence

from rich.text import Text

from services.cli.answers import Call, Chain, Chunk, Exchange, Prompt, Quote, Source, Verdict
from services.cli.layout import INDENT, columns, heading, prose
from services.cli.summary import sample
from services.cli.wording import REJECTED, plural, size

OPEN, CLOSE = "⟦", "⟧"
"""Stand around evidence, so that it shows where there is no colour."""
MARKED = "black on green"


def chain_page(chain: Chain, width: int, *, full: bool) -> Iterator[Text]:
    """``full``: with the words of the prompt, which are long."""
    yield heading(f"{chain.entry.type} {chain.entry.id}: {chain.entry.status}")
    yield from sample(chain.entry, width)
    for name, lines in (
        ("1. The file", _file(chain.source)),
        ("2. The passage, with its evidence marked", _passage(chain, width)),
        ("3. The prompt", _prompt(chain.prompt, full=full)),
        ("4. The call", _call(chain.call)),
        ("5. The verdict", verdict_lines(chain.verdict)),
    ):
        yield Text("")
        yield heading(name)
        yield from lines


def _file(source: Source) -> Iterator[Text]:
    if source.file_name is None:
        yield Text(f"{INDENT}(the document was erased)")
        return
    rows = [("name", source.file_name)]
    rows += [("also named", name) for name in source.other_names]
    rows += [
        ("sha256", source.sha256 or ""),
        ("size", f"{size(source.size or 0)}, {source.media}"),
        ("parser", source.parser or ""),
        ("title", source.title or ""),
        ("language", source.language or "not told"),
        ("text sha256", source.text_sha256 or ""),
    ]
    yield from columns([row for row in rows if row[1]])


def _passage(chain: Chain, width: int) -> Iterator[Text]:
    source, chunk = chain.source, chain.chunk
    rows = [
        ("chunk", chunk.chunk_id if chunk.index is None else f"{chunk.index}, {chunk.chunk_id}")
    ]
    if source.page is not None:
        rows.append(("page", str(source.page)))
    if source.heading_path:
        rows.append(("heading", " > ".join(source.heading_path)))
    if chunk.start is not None:
        rows.append(("characters", f"{chunk.start}-{chunk.end} of the parsed text"))
    for quote in chain.evidence:
        where = "not found in the text" if quote.start is None else f"{quote.start}-{quote.end}"
        rows.append(("evidence", where))
    yield from columns(rows)
    if chunk.text is None:
        yield Text(f"{INDENT}(the text was erased)")
        return
    yield Text("")
    yield from marked(chunk, chain.evidence, width)


def marked(chunk: Chunk, evidence: Sequence[Quote], width: int) -> Iterator[Text]:
    """The passage, wrapped line by line, with the evidence between marks and in colour."""
    text, begin = chunk.text or "", chunk.start or 0
    spans = sorted(
        (max(quote.start - begin, 0), min(quote.end - begin, len(text)))
        for quote in evidence
        if quote.start is not None and quote.end is not None
    )
    done, pieces = 0, list[str]()
    for start, end in spans:
        if done <= start < end:
            pieces += [text[done:start], OPEN, text[start:end], CLOSE]
            done = end
    pieces.append(text[done:])
    inside = False
    for line in "".join(pieces).splitlines():
        wrapped = prose(line, width, first=INDENT * 2)
        inside = _colour(wrapped, inside=inside)
        yield wrapped


def _colour(line: Text, *, inside: bool) -> bool:
    """Colour what lies between marks; return whether the line ends between them."""
    began = 0
    for at, character in enumerate(line.plain):
        if character == OPEN:
            inside, began = True, at
        elif character == CLOSE:
            line.stylize(MARKED, began, at + 1)
            inside = False
    if inside:
        line.stylize(MARKED, began)
    return inside


def _prompt(prompt: Prompt, *, full: bool) -> Iterator[Text]:
    rows = [("name", f"{prompt.name}, version {prompt.version}"), ("hash", prompt.hash or "")]
    texts = (("system", prompt.system), ("user", prompt.user))
    if not full:
        for name, text in texts:
            said = "(erased)" if text is None else f"{plural(len(text.split()), 'word')} (--full)"
            rows.append((name, said))
    yield from columns(rows)
    if full:
        for name, text in texts:
            yield from block(name, text)


def _call(call: Call) -> Iterator[Text]:
    parameters = ", ".join(f"{name} {value}" for name, value in call.parameters.items())
    usage = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in call.usage.items())
    yield from columns(
        [
            ("model", call.model),
            ("parameters", parameters or "none"),
            ("response key", call.response_key),
            ("usage", usage),
        ]
    )
    if call.exchanges is None:
        yield from block("response", None)
    for exchange in call.exchanges or []:
        yield from exchange_lines(exchange)


def exchange_lines(exchange: Exchange) -> Iterator[Text]:
    """What the model answered, and what had been said about its answer before."""
    if exchange.feedback:
        yield from block("said to the model about its answer", exchange.feedback)
    finish = f", ended by {exchange.finish_reason}" if exchange.finish_reason else ""
    yield from block(f"raw response{finish}", _indented(exchange.response))


def _indented(response: str) -> str:
    """JSON over several lines; anything else as it was said."""
    try:
        return json.dumps(json.loads(response), ensure_ascii=False, indent=1)
    except ValueError:
        return response


def block(name: str, text: str | None) -> Iterator[Text]:
    """A text of many lines under its name; None: it was erased."""
    yield Text(f"{INDENT}{name}:")
    if text is None:
        yield Text(f"{INDENT * 2}(erased)")
        return
    for line in text.splitlines():
        yield Text(f"{INDENT}| {line}", style="dim")


def verdict_lines(verdict: Verdict) -> Iterator[Text]:
    """Status, every check that failed, and the parts of the quality."""
    rows = [("status", verdict.status)]
    if verdict.reason:
        rows.append(("because", f"{verdict.reason}: {REJECTED.get(verdict.reason, '')}"))
    rows += [("check failed", f"{found.reason}: {found.detail}") for found in verdict.reasons]
    if not verdict.reasons and verdict.status in ("accepted", "surplus"):
        rows.append(("checks", "all passed"))
    if verdict.quality is not None:
        parts = ", ".join(f"{name} {part:.2f}" for name, part in verdict.quality_parts.items())
        rows.append(
            ("quality", f"{verdict.quality:.2f} = {parts}" if parts else f"{verdict.quality:.2f}")
        )
    for name in ("kind", "difficulty", "category"):
        value = getattr(verdict, name)
        if value:
            rows.append((name, value))
    yield from columns(rows)
