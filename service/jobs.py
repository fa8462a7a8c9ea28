"""Every change of a job's state: named, guarded, and written together with the event that tells of it.

    create                          -> queued
    claim            queued         -> running      by a worker, under a lease; the attempt rises
    request_pause    queued         -> paused
                     running        -> pausing
    resume           paused         -> queued
                     pausing        -> running
                     failed         -> queued       if the failure was not the job's own fault
    request_cancel   queued, paused -> cancelled
                     running, pausing -> cancelling
    succeed          running, pausing -> succeeded  (cancelling -> cancelled)
    fail             running, pausing -> failed     (cancelling -> cancelled)
    stop             pausing        -> paused       what a worker does when it has heard what is wanted
                     cancelling     -> cancelled
                     running        -> queued       its dispatcher is shutting down
    lose             running        -> queued       the lease ran out or the worker died; failed after too many
                     pausing        -> paused
                     cancelling     -> cancelled
    extend           succeeded      -> queued       its budget was raised

Each is one conditional UPDATE; if it changes no row, the job was not in a state from which the change is possible. A
worker's changes also ask for its attempt and owner: a worker that has lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from paretrim.wire import TERMINAL_STATES
from service import dialect, outbox
from service.tables import Event, Job, Search, Workspace, utc_now

WORKING = ("running", "pausing", "cancelling")  #: states in which a worker holds the job
ENDED = tuple(sorted(TERMINAL_STATES))


class Fenced(Exception):
    """The job is no longer this worker's: nothing was written."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a worker must still hold for its writes to count."""

    job_id: str
    attempt: int
    owner: str

    def holds(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions of a fenced statement."""
        return (
            Job.id == self.job_id,
            Job.attempt == self.attempt,
            Job.owner == self.owner,
            Job.state.in_(WORKING),
        )


@dataclass(frozen=True, slots=True)
class NewSearch:
    """A search of a job that is being created."""

    id: str
    algorithm: str
    options: Mapping[str, Any]
    seed: int
    baseline: bool


def create(session: Session, job: Job, searches: Sequence[NewSearch], budget: int) -> None:
    """-> queued, with its searches and its first event."""
    job.state, job.last_seq, job.phase = "queued", 1, "queued"
    job.total = budget * len(searches)
    session.add(job)
    session.flush()
    for position, search in enumerate(searches):
        session.add(
            Search(
                id=search.id,
                job_id=job.id,
                position=position,
                algorithm=search.algorithm,
                options=dict(search.options),
                seed=search.seed,
                baseline=search.baseline,
                total=budget,
            )
        )
    session.add(Event(job_id=job.id, seq=1, type="state", data={"state": "queued", "attempt": 0}))
    session.flush()


def claim(
    session: Session, owner: str, *, lease_seconds: float, running_per_workspace: int, running_per_key: int = 0
) -> Fence | None:
    """queued -> running: the most urgent job of a workspace that may run one more. None if there is none.

    running_per_key: of the jobs that were submitted with one API key; 0: no limit.
    """
    waiting = select(Job.id, Job.workspace_id, Job.key_id).where(
        Job.state == "queued", _running_beside(Job.workspace_id) < running_per_workspace
    )
    if running_per_key:
        waiting = waiting.where(or_(Job.key_id.is_(None), _running_beside(Job.key_id) < running_per_key))
    found = session.execute(
        dialect.skip_locked(session, waiting.order_by(Job.priority.desc(), Job.id).limit(1))
    ).first()
    if found is None:
        return None
    job_id, workspace_id, key_id = found
    # two dispatchers may both have counted before either claimed: count again with the workspace locked
    session.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update())
    if _running(session, Job.workspace_id == workspace_id) >= running_per_workspace:
        return None
    if running_per_key and key_id is not None and _running(session, Job.key_id == key_id) >= running_per_key:
        return None
    now = dialect.clock(session)
    changed = _change(
        session,
        (Job.id == job_id, Job.state == "queued"),
        "running",
        attempt=Job.attempt + 1,
        owner=owner,
        claimed_at=now,
        lease_expires_at=now + lease_seconds,
        phase="preparing",
        started_at=func.coalesce(Job.started_at, utc_now()),
    )
    return None if changed is None else Fence(job_id, changed, owner)


def _running_beside(column: Any) -> Any:
    """How many jobs are worked on that have the same value in a column."""
    other = aliased(Job)
    same = getattr(other, column.key) == column
    return select(func.count()).where(same, other.state.in_(WORKING)).scalar_subquery()


def _running(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition, Job.state.in_(WORKING))) or 0


def request_pause(session: Session, job_id: str) -> bool:
    """queued -> paused, running -> pausing. False if it can be neither."""
    return _first(
        _change(session, (Job.id == job_id, Job.state == "queued"), "paused"),
        lambda: _change(session, (Job.id == job_id, Job.state == "running"), "pausing"),
    )


def resume(session: Session, job_id: str) -> bool:
    """paused -> queued, pausing -> running, failed for want of a worker or a disk -> queued. False if it is neither."""
    again = {"finished_at": None, "error_code": None, "error_message": None, "error_retryable": False, "losses": 0}
    return _first(
        _change(session, (Job.id == job_id, Job.state == "paused"), "queued", phase="queued"),
        lambda: _change(session, (Job.id == job_id, Job.state == "pausing"), "running"),
        lambda: _retry(session, job_id, again),
    )


def _retry(session: Session, job_id: str, values: Mapping[str, Any]) -> int | None:
    failed = (Job.id == job_id, Job.state == "failed", Job.error_retryable.is_(True))
    changed = _change(session, failed, "queued", phase="queued", **values)
    if changed is not None:
        # searches that failed with the job go on; those that failed by themselves said why
        session.execute(
            update(Search)
            .where(Search.job_id == job_id, Search.state == "failed", Search.message.is_(None))
            .values(state="queued")
        )
    return changed


def request_cancel(session: Session, job_id: str) -> bool:
    """queued, paused -> cancelled; running, pausing -> cancelling. False if it can be neither."""
    return _first(
        _change(session, (Job.id == job_id, Job.state.in_(("queued", "paused"))), "cancelled"),
        lambda: _change(session, (Job.id == job_id, Job.state.in_(("running", "pausing"))), "cancelling"),
    )


def succeed(session: Session, fence: Fence) -> None:
    """running, pausing -> succeeded. A job that was to be cancelled is cancelled. Raises Fenced."""
    _end(session, fence, "succeeded")


def fail(session: Session, fence: Fence, code: str, message: str, *, retryable: bool = False) -> None:
    """running, pausing -> failed. A job that was to be cancelled is cancelled. Raises Fenced."""
    _end(session, fence, "failed", error_code=code, error_message=message[:4000], error_retryable=retryable)


def _end(session: Session, fence: Fence, state: str, **values: Any) -> None:
    holds = fence.holds()
    done = _first(
        _change(session, (*holds, Job.state.in_(("running", "pausing"))), state, **values),
        lambda: _change(session, (*holds, Job.state == "cancelling"), "cancelled"),
    )
    if not done:
        raise Fenced(fence.job_id)


def stop(session: Session, fence: Fence) -> str:
    """pausing -> paused, cancelling -> cancelled, running -> queued. Returns the new state. Raises Fenced."""
    for source, target in (("pausing", "paused"), ("cancelling", "cancelled"), ("running", "queued")):
        if _change(session, (*fence.holds(), Job.state == source), target) is not None:
            return target
    raise Fenced(fence.job_id)


def lose(session: Session, fence: Fence, reason: str, *, max_losses: int) -> str:
    """The worker is gone. Returns the new state: queued, paused, cancelled, or failed after too many. Raises Fenced."""
    lost = {"losses": Job.losses + 1}
    message = f"its worker was lost {max_losses} times in a row; the last time: {reason}"
    error = {"error_code": "worker-lost", "error_message": message, "error_retryable": True}
    holds, told = fence.holds(), {"reason": reason}
    running = Job.state == "running"
    changes: tuple[tuple[ColumnElement[bool], str, dict[str, Any]], ...] = (
        (running & (Job.losses + 1 < max_losses), "queued", lost),
        (running, "failed", lost | error),
        (Job.state == "pausing", "paused", lost),
        (Job.state == "cancelling", "cancelled", lost),
    )
    for condition, target, values in changes:
        if _change(session, (*holds, condition), target, told=told, **values) is not None:
            return target
    raise Fenced(fence.job_id)


def expired(session: Session) -> list[Fence]:
    """Jobs whose worker has been silent for longer than its lease."""
    statement = select(Job.id, Job.attempt, Job.owner).where(
        Job.state.in_(WORKING), Job.lease_expires_at < dialect.clock(session)
    )
    found = session.execute(dialect.skip_locked(session, statement))
    return [Fence(job_id, attempt, owner or "") for job_id, attempt, owner in found]


class Standing(NamedTuple):
    """How a worker's job stands."""

    state: str | None  #: None: the job is no longer this worker's
    late: bool  #: whether the lease has run out
    preparing: bool  #: whether there is nothing yet that could be lost


def standing(session: Session, fence: Fence) -> Standing:
    """Of the job that a fence is about."""
    late = Job.lease_expires_at < dialect.clock(session)
    row = session.execute(select(Job.state, late, Job.phase).where(*fence.holds())).first()
    return Standing(None, False, False) if row is None else Standing(row[0], bool(row[1]), row[2] == "preparing")


def renew(session: Session, fence: Fence, *, lease_seconds: float) -> str:
    """Prolong a lease; returns the job's state, which says what is wanted. Raises Fenced."""
    statement = (
        update(Job)
        .where(*fence.holds())
        .values(lease_expires_at=dialect.clock(session) + lease_seconds)
        .returning(Job.state)
    )
    state = session.scalar(statement)
    if state is None:
        raise Fenced(fence.job_id)
    return state


def hold(session: Session, fence: Fence, events: Sequence[tuple[str, Mapping[str, Any]]] = (), **values: Any) -> str:
    """Begin a worker's write: lock the job's row, set `values`, append events. Returns the state. Raises Fenced."""
    statement = (
        update(Job)
        .where(*fence.holds())
        .values(last_seq=Job.last_seq + len(events), **values)
        .returning(Job.last_seq, Job.state)
    )
    row = session.execute(statement).first()
    if row is None:
        raise Fenced(fence.job_id)
    _append(session, fence.job_id, row.last_seq, events)
    return str(row.state)


def extend(session: Session, job_id: str, budget: int) -> bool:
    """succeeded -> queued, paused and queued stay: each search may evaluate `budget` candidates. False if it cannot."""
    count = select(func.count()).where(Search.job_id == job_id).scalar_subquery()
    values: dict[str, Any] = {"total": count * budget, "finished_at": None}
    done = _first(
        _change(session, (Job.id == job_id, Job.state == "succeeded"), "queued", phase="queued", **values),
        lambda: _change(session, (Job.id == job_id, Job.state == "paused"), "paused", **values),
        lambda: _change(session, (Job.id == job_id, Job.state == "queued"), "queued", **values),
    )
    if done:
        state = select(Job.state).where(Job.id == job_id).scalar_subquery()
        session.execute(
            update(Search)
            .where(Search.job_id == job_id, Search.state != "failed")
            .values(total=budget, state=state, message=None)
        )
    return done


def remove(session: Session, job_id: str) -> bool:
    """Delete a job that has ended, with all that belongs to it. False if it has not ended."""
    gone = session.execute(delete(Job).where(Job.id == job_id, Job.state.in_(ENDED)).returning(Job.id))
    return gone.first() is not None


def _first(done: int | None, *attempts: Any) -> bool:
    """Try changes in turn until one takes effect."""
    return done is not None or any(attempt() is not None for attempt in attempts)


def _change(
    session: Session,
    conditions: Iterable[ColumnElement[bool]],
    target: str,
    *,
    told: Mapping[str, Any] | None = None,
    **values: Any,
) -> int | None:
    """One conditional UPDATE and its events. Returns the job's attempt, None if the conditions did not hold."""
    ended = target in TERMINAL_STATES
    if target not in WORKING:
        # nobody works on it any more: what it took is added up, and the worker forgotten
        spent = func.coalesce(dialect.clock(session) - Job.claimed_at, 0.0)
        values |= {"wall_seconds": Job.wall_seconds + spent}
        values |= {"owner": None, "lease_expires_at": None, "claimed_at": None}
    if ended:
        values |= {"finished_at": utc_now(), "phase": "done"}
    statement = (
        update(Job)
        .where(*conditions)
        .values(state=target, last_seq=Job.last_seq + (2 if ended else 1), **values)
        .returning(Job.id, Job.workspace_id, Job.last_seq, Job.attempt, Job.error_code, Job.error_message)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    data: dict[str, Any] = {"state": target, "attempt": row.attempt, **(told or {})}
    if target == "failed":
        data["error"] = {"code": row.error_code, "message": row.error_message}
    _append(session, row.id, row.last_seq, [("state", data), ("end", data)] if ended else [("state", data)])
    _follow(session, row.id, target)
    outbox.announce(session, row.workspace_id, row.id, target)
    return int(row.attempt)


#: what becomes of a job's searches that have not ended
_SEARCHES_FOLLOW = {
    "queued": "queued",
    "running": "running",
    "paused": "paused",
    "cancelled": "cancelled",
    "failed": "failed",
}


def _follow(session: Session, job_id: str, state: str) -> None:
    """Searches go where their job goes, but for those that have ended."""
    if state in _SEARCHES_FOLLOW:
        session.execute(
            update(Search)
            .where(Search.job_id == job_id, Search.state.not_in(ENDED))
            .values(state=_SEARCHES_FOLLOW[state])
        )


def _append(session: Session, job_id: str, last_seq: int, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    if not events:
        return
    first = last_seq - len(events) + 1
    rows = [
        {"job_id": job_id, "seq": first + offset, "type": kind, "data": dict(data), "created_at": utc_now()}
        for offset, (kind, data) in enumerate(events)
    ]
    session.execute(insert(Event), rows)
