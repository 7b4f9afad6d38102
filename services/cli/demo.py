"""``gristmill demo``: the whole mill on the documents of the checkout, or on the user's own, in a folder of its own."""

from collections.abc import Sequence
from pathlib import Path

from services.cli.answers import Dataset, Entry
from services.cli.finding import Place
from services.cli.generate import Order, carry_out
from services.cli.grinding import Asked
from services.cli.names import program, quoted
from services.cli.summary import BUILTIN
from shared.errors import Refused

HOST, PORT = "127.0.0.1", 8000
"""Where ``gristmill up`` answers by default."""
PER_CHUNK = 10
"""Ceiling of entries of one chunk; the built-in model gives what it can prove and never fills up."""
OUT = "out"


def demo(files: Sequence[Path], folder: Path) -> int:
    """Grind the files, or those of the checkout, under ``folder``; return the exit code."""
    data = folder / "data"
    order = Order(
        files=files or documents_of_the_checkout(),
        asked=Asked(mode="question and answer", model=BUILTIN, per_chunk=PER_CHUNK),
        url=None,
        data=data,
        project=None,
        name="demo",
        out=lambda _: folder / OUT,
        formats=("jsonl", "parquet"),
        following=lambda dataset, samples, place: _following(dataset, samples, place, data),
    )
    return carry_out(order)


def documents_of_the_checkout() -> list[Path]:
    """Raise ``Refused`` where this is no checkout."""
    folder = Path(__file__).resolve().parents[2] / "tests" / "data" / "documents"
    found = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    if not found:
        raise Refused(
            "no_demo_documents",
            f"There are no demo documents at {folder}: name files of your own, "
            f"for example `{program()} demo paper.pdf notes.md`.",
            field="files",
        )
    return found


def _following(
    dataset: Dataset, samples: Sequence[Entry], place: Place, data: Path
) -> list[tuple[str, str]]:
    call, where = program(), f"--data {quoted(data)}"
    commands = list[tuple[str, str]]()
    url = place.api.url
    if place.embedded:
        port = _port()
        url = f"http://{HOST}:{port}"
        other = "" if port == PORT else f" --port {port}"
        commands.append(("open this very data again, until Ctrl-C", f"{call} up {where}{other}"))
    page = f"curl -s '{url}/api/v1/datasets/{dataset.id}/entries?per_page=5'"
    meanwhile = "in another terminal: " if place.embedded else ""
    commands.append((f"{meanwhile}these entries", page))
    if samples:
        chain = f"{call} show {samples[0].id} {where}"
        commands.append(("from the bytes of the file to the verdict on the first of them", chain))
    commands.append(("the same with files of your own", 'make demo FILES="paper.pdf notes.md"'))
    return commands


def _port() -> int:
    """The port that ``up`` takes by default, or a free one where somebody has that."""
    from shared.stack import free_port, is_free

    return PORT if is_free(HOST, PORT) else free_port(HOST)
