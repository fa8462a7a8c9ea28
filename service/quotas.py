"""What a workspace and a key may have: bytes, jobs that have not ended, CPU time of late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service import jobs
from service.accounts import Principal
from service.problems import Problem
from service.settings import Settings
from service.tables import Artifact, Job, Spent, Upload, Workspace, utc_now

DAYS = 30  #: over which CPU time is counted


def lock(session: Session, workspace_id: str) -> None:
    """Of requests that each fit but not together, the second waits until the first is counted."""
    session.execute(select(Workspace.id).where(Workspace.id == workspace_id).with_for_update(key_share=True))


def used_bytes(session: Session, workspace_id: str) -> int:
    """What a workspace holds, or has announced."""
    kept = session.scalar(select(func.sum(Artifact.size_bytes)).where(Artifact.workspace_id == workspace_id))
    coming = session.scalar(
        select(func.sum(Upload.size_bytes)).where(Upload.workspace_id == workspace_id, Upload.state == "open")
    )
    return int(kept or 0) + int(coming or 0)


def check_bytes(session: Session, settings: Settings, workspace_id: str, more: int, field: str | None = None) -> None:
    """413 if the workspace cannot hold so many bytes more. field: of the request, that asks for them."""
    lock(session, workspace_id)
    left = settings.quota_bytes - used_bytes(session, workspace_id)
    if more > left:
        detail = f"the workspace has {max(0, left)} bytes of its quota left; delete models, datasets or jobs"
        raise Problem(413, "quota-exceeded", detail, errors=[] if field is None else [(field, detail)])


def check_jobs(session: Session, settings: Settings, principal: Principal) -> None:
    """429 if the workspace or the key has as many jobs as it may, or its jobs of late took as much CPU time."""
    lock(session, principal.workspace_id)
    for whose, key_id, most in (
        ("workspace", None, settings.max_active_jobs),
        ("API key", principal.key_id, settings.max_active_jobs_per_key),
    ):
        active = select(func.count()).where(*_of(Job, principal.workspace_id, key_id), Job.state.not_in(jobs.ENDED))
        if most and (session.scalar(active) or 0) >= most:
            detail = f"the {whose} has {most} jobs that have not ended; cancel some or wait"
            # whoever waits for jobs to end does so knowingly: clients that try again by themselves would seem to hang
            raise Problem(429, "too-many-jobs", detail, headers={"Retry-After": "60", "X-Should-Retry": "false"})
    check_cpu(session, settings, principal)


def check_cpu(session: Session, settings: Settings, principal: Principal) -> None:
    """429 if the jobs of the workspace or the key took as much CPU time of late as they may."""
    for whose, key_id, cpu_seconds in (
        ("workspace", None, settings.quota_cpu_seconds),
        ("API key", principal.key_id, settings.quota_cpu_seconds_per_key),
    ):
        if cpu_seconds and _spent_seconds(session, principal.workspace_id, key_id) >= cpu_seconds:
            detail = f"the {whose}'s jobs of the last {DAYS} days took the {cpu_seconds:g} CPU seconds it may use"
            raise Problem(429, "cpu-quota", detail, headers={"Retry-After": "3600"})


def _of(table: Any, workspace_id: str, key_id: str | None) -> tuple[Any, ...]:
    mine = (table.workspace_id == workspace_id,)
    return mine if key_id is None else (*mine, table.key_id == key_id)


def _spent_seconds(session: Session, workspace_id: str, key_id: str | None) -> float:
    """By jobs that are there, and by those that were deleted."""
    since = utc_now() - timedelta(days=DAYS)
    sums = (
        select(func.sum(table.cpu_seconds)).where(*_of(table, workspace_id, key_id), table.created_at > since)
        for table in (Job, Spent)
    )
    return sum(session.scalar(found) or 0.0 for found in sums)


def cost_of(job: Job) -> Spent | None:
    """To be kept when a job is deleted: who deletes what he has run has not got its CPU time back."""
    if job.cpu_seconds <= 0:
        return None
    return Spent(
        job_id=job.id,
        workspace_id=job.workspace_id,
        key_id=job.key_id,
        cpu_seconds=job.cpu_seconds,
        created_at=job.created_at,
    )


def forget_old(session: Session) -> None:
    """Drop what counts no more."""
    session.execute(delete(Spent).where(Spent.created_at < utc_now() - timedelta(days=DAYS)))
