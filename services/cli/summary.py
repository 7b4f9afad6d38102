"""What a finished job has to say for itself: why it made so many entries, what was dropped, what of the text was used.

Pure: a page made from what the gateway answered. Every figure is one of the gateway's; none is worked out anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from contracts.dataset import DocumentCoverage
from services.cli.answers import Calls, Dataset, Document, Entry
from services.cli.layout import INDENT, columns, heading, page, prose
from services.cli.wording import (
    ENDINGS,
    LANGUAGES,
    REJECTED,
    SKIPPED,
    duration,
    generated,
    plural,
    seeds,
    size,
)

BUILTIN = "builtin/extractive"
FOREIGN = "language_not_supported"
LITTLE = 200
"""Words of text for each entry from which on the built-in model's yield is called little."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that gave nothing, and why."""

    name: str
    code: str
    message: str

    @property
    def sentence(self) -> str:
        """The reason with the file's name and the code; a reason that names the file is not told it twice."""
        words = self.message if self.name in self.message else f"{self.name}: {self.message}"
        return f"{words} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Saved:
    path: Path
    entries: int
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset with all that its summary tells."""

    dataset: Dataset
    calls: Calls
    missing: int | None
    """Of the entries wanted; None where no number was."""
    documents: Sequence[Document]
    unusable: Sequence[Unusable]
    samples: Sequence[Entry]
    saved: Sequence[Saved]
    seconds: float
    following: Sequence[tuple[str, str]]
    """What can be done next: words, and the command."""


def summary(made: Made, width: int = 100) -> Text:
    """The page. ``width``: of the terminal, in columns; commands and paths are never broken."""
    parts = (
        _opening(made),
        _unusable(made.unusable, width),
        _asked(made, width),
        _rejected(made.dataset),
        _used(made, width),
        _samples(made.samples, width),
        _saved(made.saved),
        _following(made.following),
    )
    sections: list[list[Text]] = [lines for lines in map(list, parts) if lines]
    return page(line for lines in sections for line in [*lines, Text()])


def _opening(made: Made) -> Iterator[Text]:
    dataset = made.dataset
    got = plural(dataset.counts.accepted, "entry")
    yield heading(f"{dataset.name}: {got} in {duration(made.seconds)}")
    maker = dataset.model
    if maker == BUILTIN:
        maker += ": rules, no language model; it takes only what it can prove from the text"
    words = sum(document.words or 0 for document in made.documents)
    usable = [document for document in made.documents if document.status != "rejected"]
    chunks = dataset.chunks
    rows = [
        ("made by", maker),
        (
            "from",
            f"{plural(len(usable), 'document')}, {plural(words, 'word')}, {plural(chunks, 'chunk')}",
        ),
        ("kind", dataset.mode),
    ]
    if dataset.model != BUILTIN:
        rows.append(("calls", spent(made.calls)))
    yield from columns(rows)


def spent(calls: Calls) -> str:
    """What was asked of the model, as in "120 calls (2 failed), 81,000 tokens in, 12,400 out"."""
    failed = f" ({calls.failed:,} failed)" if calls.failed else ""
    return (
        f"{plural(calls.made, 'call')}{failed}, "
        f"{calls.prompt_tokens:,} tokens in, {calls.completion_tokens:,} out"
    )


def _unusable(unusable: Sequence[Unusable], width: int) -> Iterator[Text]:
    if not unusable:
        return
    yield heading(f"Not used: {plural(len(unusable), 'file')}")
    for file in unusable:
        yield prose(file.sentence, width, rest=INDENT * 2)


def _asked(made: Made, width: int) -> Iterator[Text]:
    dataset, counts = made.dataset, made.dataset.counts
    yield heading("What was asked for, and what came of it")
    yield prose(because(dataset), width)
    note = little(made)
    if note:
        yield prose(note, width)
    rows = [
        (f"{counts.seeds:,}", "seeds planned", f"= {seeds(counts)}"),
        (f"{counts.generated:,}", "entries generated", f"= {generated(counts)}"),
    ]
    if dataset.wanted is not None and made.missing is not None:
        accepted = f"= {counts.accepted:,} accepted + {made.missing:,} missing"
        if counts.accepted <= dataset.wanted:
            rows.append((f"{dataset.wanted:,}", "entries wanted", accepted))
    yield from columns(rows, right=[0])
    yield Text(f"{INDENT}(a seed is one chunk asked once)")
    if dataset.failed_by_code:
        yield prose(f"Failed seeds: {_listed(dataset.failed_by_code)}", width)


def because(dataset: Dataset) -> str:
    """Asked for N, got M, because …: in one sentence."""
    counts = dataset.counts
    asked = "all that the chunks yield" if dataset.wanted is None else f"{dataset.wanted:,}"
    if not counts.seeds and counts.accepted == 0:
        return f"Asked for {asked}, got 0, because no chunk could be asked about."
    ending = ENDINGS.get(dataset.ending or "", dataset.ending or "the job ended early")
    said = f"Asked for {asked}, got {counts.accepted:,}, because {ending}"
    lost = []
    if counts.rejected:
        of = plural(counts.generated, "generated entry", "generated entries")
        lost.append(f"curation rejected {counts.rejected:,} of {of}")
    if counts.failed:
        lost.append(f"{plural(counts.failed, 'seed')} failed")
    if lost and dataset.ending != "enough":
        said += "".join(f", and {each}" for each in lost)
    return f"{said}."


def little(made: Made) -> str:
    """What to say where the built-in model found little; "" where it found enough or another model was asked."""
    dataset = made.dataset
    if dataset.model != BUILTIN or (dataset.wanted is not None and dataset.ending == "enough"):
        return ""
    found = {str(each.document_id): each.accepted for each in _coverage(dataset)}
    read = [document for document in made.documents if document.id in found]
    poor = [document for document in read if found[document.id] * LITTLE < (document.words or 0)]
    if not poor:
        return ""
    if len(poor) == len(read):
        words = sum(document.words or 0 for document in read)
        said = f"The built-in model found {_found(dataset.counts.accepted, words)}"
    else:
        named = ", ".join(
            f"{_found(found[document.id], document.words or 0)} of {document.file_name}"
            for document in poor
        )
        said = f"The built-in model found little in some of the text: {named}"
    return (
        f"{said}; it only takes what it can prove: definitions, dates, quantities, lists, tables, steps. "
        "With a language model: --model openai/<name> (and OPENAI_API_KEY or OPENAI_BASE_URL set)."
    )


def _found(entries: int, words: int) -> str:
    return f"{plural(entries, 'entry')} in {plural(words, 'word')}"


def _coverage(dataset: Dataset) -> Sequence[DocumentCoverage]:
    """Of the documents that were asked about, by name."""
    if dataset.figures is None:
        return ()
    return sorted(dataset.figures.coverage, key=lambda each: each.name)


def _rejected(dataset: Dataset) -> Iterator[Text]:
    if not dataset.rejected_by_reason:
        return
    yield heading(f"Rejected, by reason ({dataset.counts.rejected:,}; kept with their reasons)")
    yield from columns(
        [
            (f"{count:,}", reason, REJECTED.get(reason, ""))
            for reason, count in _by_count(dataset.rejected_by_reason)
        ],
        right=[0],
    )


def _by_count(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {code}" for code, count in _by_count(counts))


def _used(made: Made, width: int) -> Iterator[Text]:
    dataset, coverage = made.dataset, _coverage(made.dataset)
    if dataset.figures is None:
        return
    yield heading("How much of the text was used")
    covered = sum(each.covered for each in coverage)
    sentences = sum(each.sentences for each in coverage)
    if sentences:
        share = f" ({covered / sentences:.0%})"
        yield prose(
            f"{covered:,} of {plural(sentences, 'content sentence')} used{share}: they are evidence of an"
            " accepted entry.",
            width,
        )
    skipped = {why: count for why, count in dataset.skipped.items() if why != FOREIGN}
    if skipped:
        total = plural(sum(skipped.values()), "chunk")
        reasons = ", ".join(
            f"{count:,} {SKIPPED.get(why, why)}" for why, count in _by_count(skipped)
        )
        yield prose(f"{total} skipped as boilerplate: {reasons}.", width)
    yield from _foreign(made, width)
    rows = [
        (
            each.name,
            f"{each.covered:,} of {each.sentences:,} sentences",
            plural(each.accepted, "entry"),
        )
        for each in coverage
    ]
    if len(rows) > 1:
        yield from columns(rows, right=[1, 2])


def _foreign(made: Made, width: int) -> Iterator[Text]:
    skipped = made.dataset.skipped.get(FOREIGN, 0)
    if not skipped:
        return
    yield prose(f"{plural(skipped, 'chunk')} skipped: {SKIPPED[FOREIGN]}.", width)
    for document in made.documents:
        if document.language not in (None, "en"):
            language = LANGUAGES.get(document.language, document.language)
            words = (
                f"{document.file_name} is in {language} [{FOREIGN}]; a language model reads it:"
                " --model openai/<name>."
            )
            yield prose(words, width, rest=INDENT * 2)


def _samples(samples: Sequence[Entry], width: int) -> Iterator[Text]:
    if not samples:
        return
    count = {1: "One entry", 2: "Two entries", 3: "Three entries", 4: "Four entries"}
    yield heading(f"{count.get(len(samples), 'Five entries')}, with the evidence word for word")
    for n, entry in enumerate(samples, 1):
        if n > 1:
            yield Text("")
        yield from sample(entry, width, f"{n}. ")


def sample(entry: Entry, width: int, lead: str = "") -> Iterator[Text]:
    """An entry as it is read: question, answer, evidence, source."""
    first = INDENT + lead
    rest = " " * len(first)
    for side, style in ((entry.question, "bold"), (entry.answer, "")):
        for n, line in enumerate((side or "").splitlines()):
            text = prose(line, width, first=first, rest=rest)
            # What follows an instruction's first line is the material it works on.
            text.stylize("" if n else style)
            yield text
            first = rest
    for quote in entry.evidence:
        words = " ".join(quote.quote.split())
        text = prose(f"“{words}”", width, first=f"{first}evidence  ", rest=rest + " " * 10)
        text.stylize("green")
        yield text
        first = rest
    yield prose(place(entry), width, first=f"{first}source    ", rest=rest + " " * 10)


def place(entry: Entry) -> str:
    """Document, page or heading, and the offsets of the evidence."""
    found = entry.metadata
    parts = [found.document or "(erased document)"]
    if found.page is not None:
        parts.append(f"page {found.page}")
    if found.heading_path:
        parts.append(" > ".join(found.heading_path))
    spans = [f"{quote.start}-{quote.end}" for quote in entry.evidence if quote.start is not None]
    if spans:
        parts.append(f"characters {', '.join(spans)}")
    return ", ".join(parts)


def _saved(saved: Sequence[Saved]) -> Iterator[Text]:
    if not saved:
        return
    yield heading("Files")
    rows = [(str(file.path), plural(file.entries, "entry"), size(file.size)) for file in saved]
    yield from columns(rows, right=[1, 2])


def _following(following: Sequence[tuple[str, str]]) -> Iterator[Text]:
    if not following:
        return
    yield heading("Next")
    for words, command in following:
        yield Text(f"{INDENT}# {words}", style="dim")
        yield Text(f"{INDENT}{command}")
