"""Which files a dataset becomes and which rows go where. Pure; opens nothing and formats nothing.

Batch N is a fixed range of seeds in plan order, whatever became of them: a batch whose seeds gave no accepted entry
is written with 0 entries, so that batch numbers mean the same in every format and every version of a dataset.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from services.export.formats.protocol import ExportRow


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that will be written: the entries of seeds ``[first, stop)``."""

    name: str
    batch: int | None
    """None: the whole dataset."""
    first: int
    stop: int

    @property
    def seeds(self) -> int:
        return self.stop - self.first


def files(job: UUID, extension: str, seeds: int, batch_size: int) -> Iterator[PlannedFile]:
    """The files of a dataset with seeds ``[0, seeds)``, in order; at least one, also where there is no seed.

    ``job`` is the job that generated the dataset; ``batch_size`` counts seeds, 0 means one whole file.
    """
    if batch_size == 0:
        yield PlannedFile(f"dataset_{job}.{extension}", None, 0, seeds)
        return
    for batch, first in enumerate(range(0, max(seeds, 1), batch_size)):
        name = f"dataset_{job}_batch_{batch}.{extension}"
        yield PlannedFile(name, batch, first, min(first + batch_size, seeds))


def batches(
    rows: Iterable[tuple[int, ExportRow]], planned: Iterable[PlannedFile]
) -> Iterator[tuple[PlannedFile, Iterator[ExportRow]]]:
    """Deal rows, sorted by (seed, place in the seed), to their files; each file comes with its rows.

    Nothing is held but the next row: read one file's rows to their end before asking for the next file. Raises
    ``ValueError`` where that is not done, where seeds fall back, or where a row belongs to no file, because each
    would lose entries in silence.
    """
    dealt = _Deal(rows)
    for file in planned:
        yield file, dealt.upto(file)
        if dealt.following is not None and dealt.following[0] < file.stop:
            raise ValueError(f"The rows of {file.name} were not read to their end.")
    if dealt.following is not None:
        raise ValueError(f"Seed {dealt.following[0]} belongs to no file.")


class _Deal:
    """The rows with one held in the hand."""

    def __init__(self, rows: Iterable[tuple[int, ExportRow]]) -> None:
        self._rows = iter(rows)
        self.following = next(self._rows, None)

    def upto(self, file: PlannedFile) -> Iterator[ExportRow]:
        while self.following is not None and self.following[0] < file.stop:
            seed, row = self.following
            if seed < file.first:
                raise ValueError(f"Seed {seed} comes too late for its file, with {file.name}.")
            self.following = next(self._rows, None)
            if self.following is not None and self.following[0] < seed:
                raise ValueError(f"Seed {self.following[0]} comes after seed {seed}.")
            yield row
