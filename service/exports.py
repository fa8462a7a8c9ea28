"""Candidates that somebody wants delivered although they were not chosen: queued, claimed and fenced as jobs are.

request   (new), failed    -> queued      done at once if it was delivered already
claim     queued           -> running     under a lease; the attempt rises
finish    running          -> done        in the transaction that writes the delivery
fail      running          -> failed
lose      running          -> queued      the worker died or fell silent; failed after too many attempts
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, or_, select, update
from sqlalchemy.orm import Session

from service import dialect
from service.jobs import Fenced
from service.tables import Delivery, Export, utc_now

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ExportFence:
    """What a worker must still hold for its writes to count."""

    job_id: str
    n: int
    attempt: int
    owner: str

    def holds(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions of a fenced statement."""
        return (
            Export.job_id == self.job_id,
            Export.n == self.n,
            Export.attempt == self.attempt,
            Export.owner == self.owner,
            Export.state == "running",
        )


def takes_work(session: Session, job_id: str, n: int, *, again: bool) -> bool:
    """Whether `request` would have something made that nobody has asked for so far."""
    if session.get(Delivery, (job_id, n)) is not None:
        return False
    known = session.get(Export, (job_id, n))
    return known is None or (again and known.state == "failed")


def request(session: Session, job_id: str, n: int, *, again: bool) -> Export:
    """Want a candidate delivered. Wanting it twice is wanting it once; `again`: also if it has failed before."""
    delivered = session.get(Delivery, (job_id, n)) is not None
    row = {"job_id": job_id, "n": n, "state": "queued", "message": None, "attempt": 0, "created_at": utc_now()}
    dialect.insert_if_absent(session, cast(Table, Export.__table__), row)
    mine = (Export.job_id == job_id, Export.n == n)
    if delivered:
        done = {"state": "done", "message": None, "owner": None, "lease_expires_at": None}
        session.execute(update(Export).where(*mine, Export.state != "done").values(**done))
    elif again:
        fresh = {"state": "queued", "message": None, "attempt": 0}
        session.execute(update(Export).where(*mine, Export.state == "failed").values(**fresh))
    session.expire_all()
    return session.get_one(Export, (job_id, n))


def claim(session: Session, owner: str, *, lease_seconds: float) -> ExportFence | None:
    """The export that has waited longest, or whose worker is silent. None if there is none."""
    now = dialect.clock(session)
    silent = (Export.state == "running") & (Export.lease_expires_at < now)
    waiting = (
        select(Export.job_id, Export.n, Export.attempt)
        .where(or_(Export.state == "queued", silent))
        .order_by(Export.created_at, Export.job_id, Export.n)
        .limit(1)
    )
    found = session.execute(dialect.skip_locked(session, waiting)).first()
    if found is None:
        return None
    job_id, n, attempt = found
    mine = (Export.job_id == job_id, Export.n == n, Export.attempt == attempt)
    if attempt >= MOST_ATTEMPTS:
        lost = {"state": "failed", "message": f"its worker was lost {attempt} times", "owner": None}
        session.execute(update(Export).where(*mine).values(**lost, lease_expires_at=None))
        return None
    taken = {"state": "running", "attempt": attempt + 1, "owner": owner, "lease_expires_at": now + lease_seconds}
    session.execute(update(Export).where(*mine).values(**taken))
    return ExportFence(job_id, n, attempt + 1, owner)


def is_held(session: Session, fence: ExportFence) -> bool:
    """Whether it is still this worker's, and the worker is not silent."""
    late = Export.lease_expires_at < dialect.clock(session)
    return session.scalar(select(late).where(*fence.holds())) is False


def renew(session: Session, fence: ExportFence, *, lease_seconds: float) -> None:
    """Prolong a lease. Raises Fenced."""
    _change(session, fence, lease_expires_at=dialect.clock(session) + lease_seconds)


def hold(session: Session, fence: ExportFence) -> None:
    """Lock the export's row. Raises Fenced."""
    _change(session, fence, owner=fence.owner)


def finish(session: Session, fence: ExportFence) -> None:
    """running -> done. Raises Fenced."""
    _change(session, fence, state="done", message=None, owner=None, lease_expires_at=None)


def fail(session: Session, fence: ExportFence, message: str) -> None:
    """running -> failed. Raises Fenced."""
    _change(session, fence, state="failed", message=message[:2000], owner=None, lease_expires_at=None)


def lose(session: Session, fence: ExportFence, reason: str) -> None:
    """running -> queued, or failed after too many attempts. Raises Fenced."""
    if fence.attempt >= MOST_ATTEMPTS:
        fail(session, fence, f"its worker was lost {fence.attempt} times; the last time: {reason}")
    else:
        _change(session, fence, state="queued", owner=None, lease_expires_at=None)


def release(session: Session, fence: ExportFence) -> None:
    """running -> queued, as if it had never been claimed: its dispatcher is shutting down. Raises Fenced."""
    _change(session, fence, state="queued", attempt=fence.attempt - 1, owner=None, lease_expires_at=None)


def _change(session: Session, fence: ExportFence, **values: Any) -> None:
    changed = session.scalar(update(Export).where(*fence.holds()).values(**values).returning(Export.n))
    if changed is None:
        raise Fenced(f"{fence.job_id}/{fence.n}")
