"""Any order of what users, workers and dispatchers do to jobs, on both databases, against a model in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from service import jobs, tables
from service.context import Service
from service.ids import new_id
from service.jobs import Fence, Fenced
from tests.service import worlds

MAX_LOSSES = 3
RUNNING_AT_ONCE = 2


@dataclass
class Expected:
    """What a job should look like."""

    priority: int
    state: str = "queued"
    attempt: int = 0
    owner: str | None = None
    losses: int = 0
    retryable: bool = False
    events: int = 1
    ends: int = 0

    def holds(self, fence: Fence) -> bool:
        return self.state in jobs.WORKING and (self.attempt, self.owner) == (fence.attempt, fence.owner)

    def goes(self, state: str) -> None:
        """Change state, as every change does: one event, and `end` after the last."""
        self.state = state
        self.events += 1
        if state in jobs.ENDED:
            self.events += 1
            self.ends += 1
        if state not in jobs.WORKING:
            self.owner = None


class JobMachine(RuleBasedStateMachine):
    """Jobs of one workspace."""

    service: Service
    files: tuple[str, str]

    ids = Bundle("ids")
    fences = Bundle("fences")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Expected] = {}
        self.claims = 0
        with self.service.database.write() as session:
            session.execute(delete(tables.Job))
            self.workspace, self.artifact = session.execute(
                select(tables.Model.workspace_id, tables.Model.artifact_id)
            ).first() or ("", "")

    def _do(self, change: Any, *arguments: Any, **named: Any) -> Any:
        with self.service.database.write() as session:
            return change(session, *arguments, **named)

    @rule(target=ids, priority=st.integers(-1, 1))
    def submit(self, priority: int) -> str:
        job = tables.Job(
            id=new_id("job"),
            workspace_id=self.workspace,
            request={"objectives": ["accuracy"]},
            tags=[],
            priority=priority,
            model_id=self.files[0],
            dataset_id=self.files[1],
            device_name="bit-serial",
            device_artifact_id=self.artifact,
        )
        job_id = job.id
        self._do(jobs.create, job, [jobs.NewSearch(new_id("search"), "random", {}, 0, False)], 10)
        self.model[job_id] = Expected(priority)
        return job_id

    @rule(target=fences)
    def claim(self) -> Fence:
        self.claims += 1
        owner = f"w{self.claims % 3}"
        fence = self._do(jobs.claim, owner, lease_seconds=60.0, running_per_workspace=RUNNING_AT_ONCE)
        waiting = [(-job.priority, job_id) for job_id, job in self.model.items() if job.state == "queued"]
        working = sum(job.state in jobs.WORKING for job in self.model.values())
        if not waiting or working >= RUNNING_AT_ONCE:
            assert fence is None
            return Fence("job_none", 1, owner)
        job_id = min(waiting)[1]
        job = self.model[job_id]
        job.goes("running")
        job.attempt, job.owner = job.attempt + 1, owner
        assert fence == Fence(job_id, job.attempt, owner)
        return Fence(job_id, job.attempt, owner)

    def _asked(self, change: Any, job_id: str, moves: dict[str, str]) -> None:
        job = self.model.get(job_id)
        wanted = None if job is None else moves.get(job.state)
        assert self._do(change, job_id) is (wanted is not None)
        if job is not None and wanted is not None:
            job.goes(wanted)

    @rule(job_id=ids)
    def pause(self, job_id: str) -> None:
        self._asked(jobs.request_pause, job_id, {"queued": "paused", "running": "pausing"})

    @rule(job_id=ids)
    def cancel(self, job_id: str) -> None:
        moves = {"queued": "cancelled", "paused": "cancelled", "running": "cancelling", "pausing": "cancelling"}
        self._asked(jobs.request_cancel, job_id, moves)

    @rule(job_id=ids)
    def resume(self, job_id: str) -> None:
        moves = {"paused": "queued", "pausing": "running"}
        job = self.model.get(job_id)
        again = job is not None and job.state == "failed" and job.retryable
        self._asked(jobs.resume, job_id, moves | ({"failed": "queued"} if again else {}))
        if job is not None and again:
            job.losses, job.retryable = 0, False

    @rule(job_id=ids, budget=st.integers(11, 99))
    def raise_budget(self, job_id: str, budget: int) -> None:
        def extend(session: Any, job_id: str) -> bool:
            return jobs.extend(session, job_id, budget)

        self._asked(extend, job_id, {"succeeded": "queued", "paused": "paused", "queued": "queued"})

    @rule(job_id=ids)
    def remove(self, job_id: str) -> None:
        job = self.model.get(job_id)
        gone = job is not None and job.state in jobs.ENDED
        assert self._do(jobs.remove, job_id) is gone
        if gone:
            del self.model[job_id]

    def _fenced(self, fence: Fence, change: Any, *arguments: Any, **named: Any) -> tuple[Expected | None, Any]:
        """Do what only the holder may; the job's expectation if it was allowed, and what was answered."""
        job = self.model.get(fence.job_id)
        if job is not None and job.holds(fence):
            return job, self._do(change, fence, *arguments, **named)
        with pytest.raises(Fenced):
            self._do(change, fence, *arguments, **named)
        return None, None

    @rule(fence=fences)
    def renew(self, fence: Fence) -> None:
        job, answer = self._fenced(fence, jobs.renew, lease_seconds=60.0)
        assert job is None or answer == job.state

    @rule(fence=fences, count=st.integers(0, 3))
    def write(self, fence: Fence, count: int) -> None:
        job, answer = self._fenced(fence, jobs.hold, [("log", {"message": "m"})] * count, completed=count)
        if job is not None:
            assert answer == job.state
            job.events += count

    @rule(fence=fences)
    def succeed(self, fence: Fence) -> None:
        job, _ = self._fenced(fence, jobs.succeed)
        if job is not None:
            job.goes("cancelled" if job.state == "cancelling" else "succeeded")

    @rule(fence=fences, retryable=st.booleans())
    def fail(self, fence: Fence, retryable: bool) -> None:
        job, _ = self._fenced(fence, jobs.fail, "code", "why", retryable=retryable)
        if job is not None:
            ended = job.state == "cancelling"
            job.goes("cancelled" if ended else "failed")
            job.retryable = job.retryable if ended else retryable

    @rule(fence=fences)
    def stop(self, fence: Fence) -> None:
        job, answer = self._fenced(fence, jobs.stop)
        if job is not None:
            job.goes({"running": "queued", "pausing": "paused", "cancelling": "cancelled"}[job.state])
            assert answer == job.state

    @rule(fence=fences)
    def lose(self, fence: Fence) -> None:
        job, answer = self._fenced(fence, jobs.lose, "it died", max_losses=MAX_LOSSES)
        if job is not None:
            job.losses += 1
            given_up = job.state == "running" and job.losses >= MAX_LOSSES
            after = {"running": "queued", "pausing": "paused", "cancelling": "cancelled"}[job.state]
            job.goes("failed" if given_up else after)
            job.retryable = job.retryable or given_up
            assert answer == job.state

    @invariant()
    def every_job_is_as_expected(self) -> None:
        with self.service.database.read() as session:
            rows = session.scalars(select(tables.Job)).all()
            told = session.execute(
                select(tables.Event.job_id, tables.Event.seq, tables.Event.type).order_by(tables.Event.seq)
            ).all()
        found = {
            row.id: Expected(
                row.priority,
                row.state,
                row.attempt,
                row.owner,
                row.losses,
                row.error_retryable,
                row.last_seq,
                sum(kind == "end" for job_id, _, kind in told if job_id == row.id),
            )
            for row in rows
        }
        assert found == self.model
        for job_id, job in self.model.items():
            assert [seq for owner, seq, _ in told if owner == job_id] == list(range(1, job.events + 1))


def test_jobs_follow_their_states_whatever_happens_to_them(service: Service) -> None:
    machine = type("Machine", (JobMachine,), {"service": service, "files": worlds.ready_files(service)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
