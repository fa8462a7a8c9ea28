"""What goes by itself: uploads never completed, old idempotency keys, jobs past their retention, unwanted files."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import exists, select

from service import deletion, idempotency, jobs, quotas, trainings
from service.artifacts import Artifacts
from service.database import Database
from service.settings import Settings
from service.tables import Artifact, Job, utc_now
from service.uploads import Uploads

log = logging.getLogger(__name__)


def keep_house(settings: Settings, database: Database, artifacts: Artifacts, uploads: Uploads) -> None:
    """Delete what has had its time. Any number of processes may do this at once."""
    uploads.drop_expired()
    with database.write() as session:
        idempotency.forget_old(session)
        trainings.forget_abandoned(session)
        quotas.forget_old(session)
    if settings.retention_days > 0:
        delete_old_jobs(settings, database)
    gone = sweep(database, artifacts) + uploads.sweep()
    if gone:
        log.info("%s files or uploads that nothing refers to were deleted", gone)


def delete_old_jobs(settings: Settings, database: Database) -> int:
    """Delete jobs that ended long ago. Returns how many."""
    before = utc_now() - timedelta(days=settings.retention_days)
    with database.write() as session:
        old = session.scalars(select(Job).where(Job.state.in_(jobs.ENDED), Job.finished_at < before).limit(100)).all()
        return sum(deletion.delete_job(session, job) for job in old)


def sweep(database: Database, artifacts: Artifacts) -> int:
    """Delete files that no row refers to."""

    def is_wanted(sha256: str) -> bool:
        with database.read() as session:
            return bool(session.scalar(select(exists().where(Artifact.sha256 == sha256))))

    return artifacts.sweep(is_wanted)
