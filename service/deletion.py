"""What goes when something is deleted: rows at once, files when the sweep finds that nothing refers to them."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service import jobs, quotas
from service.tables import Artifact, Delivery, Job, Training


def delete_job(session: Session, job: Job) -> bool:
    """Delete a job that has ended and all that belongs to it. False if it has not ended."""
    artifacts = {job.device_artifact_id}
    for artifact_id, files in session.execute(
        select(Delivery.artifact_id, Delivery.files).where(Delivery.job_id == job.id)
    ):
        artifacts |= {artifact_id, *files.values()}
    artifacts |= set(session.scalars(select(Training.artifact_id).where(Training.job_id == job.id)))
    spent = quotas.cost_of(job)
    if not jobs.remove(session, job.id):
        return False
    if spent is not None:
        session.add(spent)
    session.execute(delete(Artifact).where(Artifact.id.in_(artifacts)))
    return True
