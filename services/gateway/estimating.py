"""When a job will be done, from how fast it went lately. Pure: times are handed in, and nothing is kept but samples."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.gateway.views.rows import DatasetRow, DocumentCounts, JobRow

WINDOW = timedelta(seconds=60)
LEAST = timedelta(seconds=3)
"""Over a shorter time a rate means nothing."""
MOST_JOBS = 1000
MOST_SAMPLES = 128


@dataclass(frozen=True, slots=True)
class Sample:
    """How much was done at a time."""

    at: datetime
    done: int


def amount(made: DatasetRow | None, documents: DocumentCounts) -> tuple[int, int]:
    """How much is done, of how much: accepted entries where a number is wanted, else seeds; documents where nothing
    is generated. (0, 0) before it is known.
    """
    if made is not None:
        if made.wanted is not None and made.seeds:
            return min(made.accepted, made.wanted), made.wanted
        return made.done + made.failed, made.seeds
    return documents.settled, documents.total


def completion(samples: "deque[Sample]", started: datetime | None, total: int) -> datetime | None:
    """When ``total`` will be reached, by the rate over the samples, which span the last minute at most; where they
    span too little, by the mean rate since ``started``. None: nothing can be said.
    """
    if not samples or not total:
        return None
    last = samples[-1]
    left = total - last.done
    first = samples[0]
    if last.at - first.at < LEAST or last.done <= first.done:
        if started is None or (len(samples) > 1 and last.at - first.at >= WINDOW / 2):
            return None  # it stood still for half a minute: what it did before says nothing of when it will end
        first = Sample(started, 0)
    passed, did = last.at - first.at, last.done - first.done
    if passed < LEAST or did <= 0 or left < 0:
        return None
    return last.at + passed * (left / did)


@dataclass(slots=True)
class Rates:
    """Samples of the jobs that were looked at lately. They only sharpen an estimate: losing them loses nothing else."""

    _jobs: "OrderedDict[UUID, deque[Sample]]" = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._jobs)

    def estimate(
        self, job: JobRow, made: DatasetRow | None, documents: DocumentCounts, now: datetime
    ) -> datetime | None:
        """When the job will be done as things stand; None where it waits, has ended, or nothing can be said."""
        done, total = amount(made, documents)
        going = (
            job.status == "running"
            and not job.cancelling
            and not job.pausing
            and job.waiting_for is None
        )
        if not going or done >= total:
            self._jobs.pop(job.job_id, None)
            return None
        samples = self._jobs.setdefault(job.job_id, deque(maxlen=MOST_SAMPLES))
        self._jobs.move_to_end(job.job_id)
        while len(self._jobs) > MOST_JOBS:
            self._jobs.popitem(last=False)
        if not samples or now - samples[-1].at >= WINDOW / MOST_SAMPLES:
            samples.append(Sample(now, done))
        while now - samples[0].at > WINDOW:
            samples.popleft()
        return completion(samples, job.started_at, total)
