"""Which faults strike whom and when: drawn from a seed, the same for the same seed. Pure."""

from dataclasses import dataclass
from random import Random  # noqa: TID251 - seeded, so that a run's faults can be had again
from typing import Literal

Kind = Literal[
    "kill", "stop", "nats_kill", "postgres_stop", "cut", "hush", "slow", "nats_full", "blobs_full",
    "rollback", "wipe",
]  # fmt: skip
WORKERS = ("generate", "generate-2", "curate", "ingest", "chunk", "export")
LEDGERS = ("ledger", "ledger-2")
PROCESSES = (*WORKERS, *LEDGERS, "gateway")
KILLED = (*PROCESSES, *LEDGERS, "generate", "generate-2", "curate")
"""Those on whom most depends are struck more often."""
WITH_DATABASE = (*LEDGERS, "gateway", "curate", "export")
WEIGHTS: dict[Kind, int] = {
    "kill": 10, "stop": 4, "nats_kill": 2, "postgres_stop": 2, "cut": 3, "hush": 2, "slow": 2,
    "nats_full": 1, "blobs_full": 1,
}  # fmt: skip
LONGEST = 6.0
"""Seconds that a fault lasts at most."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault to come. ``at`` and ``seconds`` (how long it lasts) are seconds of the run."""

    at: float
    kind: Kind
    target: str
    """A process; for faults of the network ``process:server``; empty where the kind says it."""
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:7.1f} s  {self.kind} {self.target}{lasting}"


def schedule(
    seed: int, seconds: float, *, only: Kind | None = None, every: float = 2.5
) -> list[Planned]:
    """Faults over so many seconds, about one ``every`` so many. ``only`` makes runs of one nemesis of its own:
    ``rollback`` and ``wipe`` strike between kills.
    """
    dice = Random(seed)
    weights = dict(WEIGHTS)
    if only in ("rollback", "wipe"):
        weights = {"kill": 4, "stop": 1, only: 3}
    elif only is not None:
        weights = {only: 1}
    planned: list[Planned] = []
    at = 1.0 + dice.random() * every
    while at < seconds:
        kind = dice.choices(list(weights), list(weights.values()))[0]
        planned.append(_drawn(dice, round(at, 2), kind))
        at += dice.expovariate(1 / every) + 0.2
    return planned


def _drawn(dice: Random, at: float, kind: Kind) -> Planned:
    lasting = round(0.5 + dice.random() * (LONGEST - 0.5), 2)
    match kind:
        case "kill":
            return Planned(at, kind, dice.choice(KILLED))
        case "stop":
            return Planned(at, kind, dice.choice(KILLED), lasting)
        case "cut" | "hush" | "slow":
            server = dice.choice(("nats", "nats", "postgres", "model"))
            process = dice.choice(
                {"nats": PROCESSES, "postgres": WITH_DATABASE, "model": WORKERS[:2]}[server]
            )
            return Planned(at, kind, f"{process}:{server}", lasting)
        case "blobs_full":
            return Planned(at, kind, dice.choice((*WORKERS, "gateway", "ledger")), lasting)
        case "nats_full":
            return Planned(at, kind, "nats", lasting)
        case "postgres_stop":
            return Planned(at, kind, "postgres")
        case _:
            return Planned(at, kind, "nats")


AIMED: dict[str, tuple[tuple[Kind, str, float], ...]] = {
    "acknowledges_before_commit": (("kill", "ledger", 0.0), ("kill", "ledger-2", 0.0)),
    "forgets_outcomes": (("stop", "generate", 5.0), ("stop", "generate-2", 5.0)),
    "forgets_what_was_admitted": (("kill", "curate", 0.0),),
}
"""By the name of a faulty build: what brings its fault to light."""


def aimed(broken: str, seconds: float) -> list[Planned]:
    """Faults that a faulty build does not survive, again and again, with time to work between them."""
    planned: list[Planned] = []
    at = 2.0
    while at < seconds:
        for kind, target, lasting in AIMED[broken]:
            planned.append(Planned(round(at, 2), kind, target, lasting))
            at += lasting + 4.0
    return planned
