"""States of trainings that are under way: one for each run, replaced after every epoch, deleted when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from service.ids import new_id
from service.tables import Artifact, Export, Job, Training, utc_now


def keep(session: Session, job_id: str, workspace_id: str, n: int, part: str, sha256: str, size_bytes: int) -> None:
    """The bytes with this hash are the newest state of a run; the one before is no longer wanted."""
    artifact = Artifact(
        id=new_id("artifact"),
        workspace_id=workspace_id,
        sha256=sha256,
        size_bytes=size_bytes,
        filename=f"candidate-{n}-{part.replace(' ', '-')}.safetensors",
    )
    session.add(artifact)
    session.flush()
    row = session.get(Training, (job_id, n, part))
    if row is None:
        session.add(Training(job_id=job_id, n=n, part=part, artifact_id=artifact.id))
        return
    old, row.artifact_id, row.updated_at = row.artifact_id, artifact.id, utc_now()
    session.flush()
    session.execute(delete(Artifact).where(Artifact.id == old))


def forget(session: Session, job_id: str, n: int | None = None) -> None:
    """The runs of a candidate are over, or those of all candidates of a job."""
    mine: Sequence[Any] = (Training.job_id == job_id, *(() if n is None else (Training.n == n,)))
    artifacts = session.scalars(delete(Training).where(*mine).returning(Training.artifact_id)).all()
    session.execute(delete(Artifact).where(Artifact.id.in_(artifacts)))


def forget_abandoned(session: Session) -> int:
    """Those of jobs that nothing can bring back to work, but for exports under way. Returns of how many jobs."""
    exported = exists().where(
        Export.job_id == Training.job_id, Export.n == Training.n, Export.state.in_(("queued", "running"))
    )
    over = select(Training.job_id).join(Job, Job.id == Training.job_id)
    over = over.where(Job.state.in_(("succeeded", "cancelled")), ~exported).distinct()
    found = session.scalars(over).all()
    for job_id in found:
        forget(session, job_id)
    return len(found)
