"""``python -m tests.chaos --seconds 600 --seed 7 [--nemesis rollback]``: a chaos run on the terminal.

Prints the seed, each fault with its time, progress, what was struck, and the verdict; ends with 1 where something is
wrong, and keeps the run's folder then, with the log as JSON lines.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

from contracts.message import wire_type
from tests.chaos.broken import BROKEN
from tests.chaos.calls import again
from tests.chaos.facts import Facts
from tests.chaos.running import Plan, Ran, run, run_folder
from tests.chaos.schedule import Kind


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="none: drawn, and printed")
    parser.add_argument("--nemesis", choices=get_args(Kind), default=None, help="this kind alone")
    parser.add_argument("--broken", choices=sorted(BROKEN), default=None, help="a faulty build")
    parser.add_argument("--every", type=float, default=2.5, help="seconds between faults")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    given = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    seed = given.seed if given.seed is not None else secrets.randbelow(1_000_000)
    say(f"seed {seed}, {given.seconds:g} s")
    plan = Plan(seed, given.seconds, given.nemesis, given.broken, every=given.every)
    return asyncio.run(_run(plan, keep=given.keep))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _run(plan: Plan, *, keep: bool) -> int:
    kept = True
    async with run_folder(lambda: kept) as folder:
        try:
            ran = await run(plan, folder, say)
        except BaseException:
            say(f"seed {plan.seed}: the run broke; its folder is {folder}")
            raise
        kept = keep or bool(ran.findings)
        _sum_up(plan, ran)
        if kept:
            _dump(ran.facts, folder)
            say(f"folder {folder}")
    return 1 if ran.findings else 0


def _sum_up(plan: Plan, ran: Ran) -> None:
    facts = ran.facts
    statuses = Counter(ran.jobs.values())
    outcomes = Counter(each.outcome or "open" for each in facts.seen)
    struck = Counter(fault.target for fault in facts.faults if fault.kind == "kill")
    say(f"faults  {_counts(ran.faults)}")
    say(f"killed  {_counts(struck)}")
    say(f"jobs    {len(ran.jobs)}: {_counts(statuses)}")
    say(f"users   {_counts(ran.counts)}")
    say(f"calls   {len(facts.seen)}: {_counts(outcomes)}")
    repeated, allowed = again(facts)
    say(f"again   {repeated} calls repeated, {allowed} were in flight at faults")
    say(f"log     {len(facts.events)} events, {len(facts.dead)} dead letters")
    for finding in ran.findings[:40]:
        say(f"WRONG   {finding}")
    verdict = f"{len(ran.findings)} violations" if ran.findings else "nothing is wrong"
    say(f"verdict seed {plan.seed}, {ran.took:.0f} s: {verdict}")


def _counts(counts: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none"


def _dump(facts: Facts, folder: Path) -> None:
    with (folder / "log.jsonl").open("w") as file:
        for each in facts.events:
            said = {"type": wire_type(type(each.event)), "data": each.event.model_dump(mode="json")}
            file.write(f"{each.position} {each.recorded_at} {each.stream} {json.dumps(said)}\n")
    with (folder / "calls.jsonl").open("w") as file:
        file.writelines(f"{each}\n" for each in facts.seen)
    with (folder / "faults.txt").open("w") as file:
        file.writelines(f"{each}\n" for each in facts.faults)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
