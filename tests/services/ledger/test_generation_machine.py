"""The main job under anything that can happen to it: pauses, cancellations, restarts, forks, units lost, late, put off.

A machine stands in for the ledger's table of work: the first outcome of a unit counts, what is given back is held while
the job is paused. ``GRISTMILL_EXAMPLES`` sets how many courses are tried (``make faults`` tries more).
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, repeat
from uuid import uuid5

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated, GenerateEntries
from contracts.job import (
    ForkedProgress,
    JobCancelled,
    JobCancelling,
    JobCompleted,
    JobContinued,
    JobFailed,
    JobForked,
    JobPausing,
    JobWaiting,
)
from contracts.message import Command, Event, Recorded
from services.ledger.processes import generation_state
from services.ledger.processes.generation_state import GenerationState
from tests.services.ledger.test_generation import (
    JOB,
    OF_DATASET,
    Drawn,
    Job,
    answer,
    asked,
    check_equations,
    failed,
    generated,
    planned,
)

EXAMPLES = int(os.environ.get("GRISTMILL_EXAMPLES", "12"))
ENDS = (JobCompleted, JobFailed, JobCancelled)
Unit = tuple[GenerateEntries, int]


def had(job: Job, state: GenerationState) -> ForkedProgress:
    curated = [(e.after, e.through) for e in job.events if isinstance(e, EntriesCurated)]
    admitted = [e.through for e in job.events if isinstance(e, EntriesAdmitted)]
    return generation_state.progress(state, 0, curated, max(admitted, default=0))


class Course(RuleBasedStateMachine):
    """One job, and the units and commands of it that somebody may be doing."""

    @initialize(
        seeds=st.integers(0, 40), wanted=st.none() | st.integers(1, 40), calls=st.integers(1, 16)
    )
    def begin(self, seeds: int, wanted: int | None, calls: int) -> None:
        self.job = Job(asked(concurrency=calls, entries=wanted))
        self.units: list[Unit] = []
        self.held: list[Unit] = []
        self.done: list[Unit] = []
        self.commands: list[Command] = []
        self.forks = 0
        self.base: tuple[int, JobForked | None] = (0, None)
        self.follow()
        self.commands.clear()
        self.hear(planned(seeds))

    @property
    def state(self) -> GenerationState:
        return self.job.state

    def hear(self, event: Event) -> None:
        self.job.hear(event)
        self.follow()

    def follow(self) -> None:
        before = self.state.pause
        self.job.busy = len(self.units) + len(self.commands)
        for command in self.job.decide():
            assert before is None or not isinstance(command, GenerateEntries)
            if isinstance(command, GenerateEntries):
                self.units += [(command, n) for n in range(len(command.units))]
            else:
                self.commands.append(command)
        if before == "pausing" and self.state.pause == "paused":
            assert not self.units
            assert not self.commands
        if self.state.phase == "ended":
            # What was in flight is late from now on: the ledger has no row of it.
            self.done += self.units + self.held
            self.units, self.held, self.commands = [], [], []

    # -- outcomes ----------------------------------------------------------------------------------

    @precondition(lambda self: self.units)
    @rule(data=st.data(), entries=st.integers(0, 4))
    def a_unit_ends(self, data: st.DataObject, entries: int) -> None:
        """In any order."""
        self.end(data.draw(st.integers(0, len(self.units) - 1)), entries)

    def end(self, place: int, entries: int) -> None:
        command, n = unit = self.units.pop(place)
        self.done.append(unit)
        self.hear(generated(command.units[n], command.seeds[n], entries))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def a_worker_that_was_thought_lost_ends_a_held_unit(self, data: st.DataObject) -> None:
        self.units.append(self.held.pop(data.draw(st.integers(0, len(self.held) - 1))))
        self.end(len(self.units) - 1, 1)

    @precondition(lambda self: self.units)
    @rule(data=st.data(), code=st.sampled_from(["timeout", "malformed", "auth"]))
    def a_unit_fails(self, data: st.DataObject, code: str) -> None:
        command, n = unit = self.units.pop(data.draw(st.integers(0, len(self.units) - 1)))
        self.done.append(unit)
        fatal = code == "auth" and data.draw(st.integers(0, 3)) == 0
        self.hear(failed(command.units[n], code, fatal=fatal))

    @rule()
    def the_ledger_takes_a_turn(self) -> None:
        """Asked again, a process says nothing twice."""
        before = len(self.job.events), len(self.job.commands)
        self.follow()
        assert (len(self.job.events), len(self.job.commands)) == before

    @precondition(lambda self: self.units and self.state.pause is None)
    @rule()
    def the_model_is_away(self) -> None:
        if self.state.waiting_for is None or self.state.answered:
            self.hear(JobWaiting(waiting_for="openai/x", reason="refused"))

    @precondition(lambda self: self.units and (self.state.pause or self.state.cancelling))
    @rule(data=st.data())
    def a_unit_is_not_started(self, data: st.DataObject) -> None:
        command, n = unit = self.units.pop(data.draw(st.integers(0, len(self.units) - 1)))
        if self.state.cancelling:
            self.done.append(unit)
            self.hear(failed(command.units[n], "cancelled"))
        else:
            self.held.append(unit)
            self.follow()

    @precondition(lambda self: self.commands)
    @rule(data=st.data())
    def a_command_is_done(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.commands) - 1))
        answer(self.job, self.commands.pop(place), Drawn(data))
        self.follow()

    # -- requests ----------------------------------------------------------------------------------

    @precondition(
        lambda self: self.goes_on() and not self.state.cancelling and not self.state.pause
    )
    @rule()
    def it_is_paused(self) -> None:
        self.hear(JobPausing())

    @precondition(lambda self: self.goes_on() and self.state.pause)
    @rule()
    def it_is_resumed(self) -> None:
        self.units, self.held = self.units + self.held, []
        self.hear(JobContinued(started=True))

    @precondition(lambda self: self.goes_on() and not self.state.cancelling)
    @rule()
    def it_is_cancelled(self) -> None:
        self.units, self.held = self.units + self.held, []
        self.hear(JobCancelling())

    @precondition(lambda self: self.state.phase == "ended" and not self.completed())
    @rule()
    def it_is_restarted(self) -> None:
        self.job.restart()
        self.follow()

    @precondition(lambda self: self.forks < 3)
    @rule()
    def it_is_forked(self) -> None:
        """The course goes on with the fork; its parent is left as it is."""
        progress = had(self.job, self.state)
        assert progress == had(self.job, self.refolded())
        versions = self.job.versions
        event = JobForked(
            parent=self.job.id, at="1.1", job_version=versions["job"],
            dataset_version=versions["dataset"], request=self.job.request, documents=1, waiting=0,
            progress=progress,
        )  # fmt: skip
        self.forks += 1
        self.job.id = uuid5(JOB, str(self.forks))
        self.units, self.held, self.commands = [], [], []
        self.base = len(self.job.events), event
        self.hear(event)

    def goes_on(self) -> bool:
        return self.state.phase != "ended"

    def completed(self) -> bool:
        return isinstance(self.job.events[-1], JobCompleted)

    def refolded(self) -> GenerationState:
        """What the events alone say, from the start of the job's own streams."""
        first, fork = self.base
        state = generation_state.start(self.job.request, documents=1, waiting=0)
        versions = {"job": 1, "dataset": 0}
        if fork is not None:
            versions = {"job": fork.job_version, "dataset": fork.dataset_version}
        for event in self.job.events[first:]:
            stream = "dataset" if type(event).__name__ in OF_DATASET else "job"
            versions[stream] += 1
            recorded = Recorded[Event](
                event=event, id=JOB, stream=JOB, version=versions[stream], position="1.1",
                tenant="default", job_id=JOB, cause_id=None,
                recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            state = generation_state.evolve(state, recorded)
        return state

    # -- what always holds -------------------------------------------------------------------------

    @invariant()
    def the_equations_hold(self) -> None:
        check_equations(self.state)
        if self.goes_on():
            assert self.state.counts.in_flight == len(self.units) + len(self.held)
        assert len(orjson.dumps(self.state.model_dump(mode="json"))) <= 2048

    @invariant()
    def every_seed_is_asked_and_judged_once_and_each_run_ends_once(self) -> None:
        events = self.job.events
        seeds = [event.seed for event in events if isinstance(event, EntriesGenerated)]
        assert len(seeds) == len(set(seeds)) == self.state.counts.done
        verdicts = [e.verdicts for e in events if isinstance(e, EntriesCurated)]
        judged = [verdict.entry_id for each in verdicts for verdict in each]
        assert len(judged) == len(set(judged))
        units = [unit for command in self.job.commands for unit in command.units]
        assert len(units) == len(set(units))
        own = events[self.base[0] :]
        ends = sum(isinstance(event, ENDS) for event in own)
        assert ends == self.state.restarts + (self.state.phase == "ended")
        wanted = self.job.request.settings.entries
        assert wanted is None or self.state.counts.accepted <= wanted

    def teardown(self) -> None:
        """Whatever happened, the job comes to an end when it is let go."""
        if not hasattr(self, "job"):
            return
        if self.state.pause:
            self.it_is_resumed()
        for _ in range(2000):
            if self.units:
                self.end(0, 1)
            elif self.commands:
                answer(self.job, self.commands.pop(0), AllWell())
                self.follow()
        assert self.state.phase == "ended"
        assert had(self.job, self.state) == had(self.job, self.refolded())


class AllWell:
    """Every entry passes, nothing is found to ask further, no format refuses."""

    def passes(self) -> bool:
        return True

    def cut(self, most: int) -> int:
        return most

    def seeds(self) -> int:
        return 0

    def refuses(self) -> bool:
        return False


def test_any_course_with_pauses_restarts_and_forks_keeps_the_equations() -> None:
    run_state_machine_as_test(
        Course, settings=settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
    )


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(
    outcomes=st.lists(st.integers(-1, 4), min_size=1, max_size=30),
    order=st.lists(st.integers(0, 50), max_size=60),
    calls=st.integers(1, 40),
)
def test_the_same_outcomes_in_any_order_give_the_same_final_counts(
    outcomes: list[int], order: list[int], calls: int
) -> None:
    """-1: the seed fails; else it yields so many entries. All that is in flight may overtake all else."""
    ended = [_run(outcomes, calls, each) for each in ([], order)]
    assert ended[0].counts == ended[1].counts
    assert (ended[0].failed, ended[0].rejected) == (ended[1].failed, ended[1].rejected)
    assert ended[0].ending == ended[1].ending


def _run(outcomes: list[int], calls: int, order: Sequence[int]) -> GenerationState:
    """What is in flight ends as ``order`` says, then the oldest first."""
    job = Job(asked(concurrency=calls)).hear(planned(len(outcomes)))
    doing: list[tuple[Command, int]] = []
    turns = chain(order, repeat(0))
    while True:
        doing += [(command, n) for command in job.decide() for n in range(len(command.units))]
        if job.state.phase == "ended":
            return job.state
        command, n = doing.pop(next(turns) % len(doing))
        if not isinstance(command, GenerateEntries):
            answer(job, command, AllWell())
            continue
        seed = command.seeds[n]
        made = outcomes[seed]
        event = failed(command.units[n], "timeout") if made < 0 else None
        job.hear(event or generated(command.units[n], seed, made))
