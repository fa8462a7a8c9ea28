"""What a job may take over from an earlier one of its workspace: candidates on the same model, agents on another."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from paretrim import problem
from paretrim.algorithms import AGENTS
from paretrim.errors import InvalidInput, JobFailed
from paretrim.wire import JobRequest
from service.accounts import Principal
from service.tables import Candidate, Checkpoint, Job, Model, Search

#: candidates taken over, at most: the most accurate and as many of the last
MOST_OF_EACH = 300


def check(session: Session, principal: Principal, request: JobRequest) -> None:
    """Raise InvalidInput unless there is something in the earlier job that this one can take over."""
    if request.learn_from is None:
        return
    earlier = session.scalar(
        select(Job).where(Job.id == request.learn_from, Job.workspace_id == principal.workspace_id)
    )
    if earlier is None:
        raise InvalidInput(f"there is no job {request.learn_from!r} to learn from", field="learn_from")
    if is_same_model(session, earlier.model_id, request.model):
        metric = earlier.request.get("metric", "top1")
        if metric != request.metric:
            raise InvalidInput(
                f"job {earlier.id} measured {metric}, this one {request.metric}; ask for the same metric",
                field="learn_from",
            )
        if not candidate_numbers(session, earlier.id):
            raise InvalidInput(f"job {earlier.id} has measured no candidate yet", field="learn_from")
    elif not teachers(session, earlier.id) & {choice.name for choice in request.choices()}:
        raise InvalidInput(
            f"job {earlier.id} is on another model, of which only agents can be taken over, and none of its agents is"
            " among this job's algorithms",
            field="learn_from",
        )


def taken_over(session: Session, job_id: str) -> tuple[tuple[problem.Candidate, ...], dict[str, bytes]]:
    """What a job that has still to begin takes over: candidates of the same model, or agents' states by algorithm.

    Raises JobFailed if the earlier job was deleted meanwhile.
    """
    job = session.get_one(Job, job_id)
    name = job.request.get("learn_from")
    if name is None or not _begins(session, job):
        return (), {}
    earlier = session.get(Job, name)
    if earlier is None:
        raise JobFailed(f"job {name}, which this one was to learn from, was deleted", code="lessons_gone")
    if is_same_model(session, earlier.model_id, job.model_id):
        rows = [session.get_one(Candidate, (earlier.id, n)) for n in candidate_numbers(session, earlier.id)]
        return tuple(_candidate(row) for row in rows), {}
    wanted = set(session.scalars(select(Search.algorithm).where(Search.job_id == job.id)))
    taught: dict[str, bytes] = {}
    for algorithm, arrays in session.execute(_checkpoints(earlier.id).order_by(Search.position)):
        if algorithm in wanted:
            taught.setdefault(algorithm, arrays)
    return (), taught


def _candidate(row: Candidate) -> problem.Candidate:
    measurement = None if row.measurement is None else problem.Measurement.from_json(row.measurement)
    return problem.Candidate(row.index, problem.Policy.from_json(row.policy), measurement, row.failure)


def is_same_model(session: Session, one: str, other: str) -> bool:
    """Whether two models are the same bytes, read the same way."""
    first, second = session.get(Model, one), session.get(Model, other)
    if first is None or second is None:
        return False
    return (first.sha256, first.architecture) == (second.sha256, second.architecture)


def candidate_numbers(session: Session, job_id: str) -> list[int]:
    """Of the measured candidates that are taken over, rising."""
    measured = select(Candidate.n).where(Candidate.job_id == job_id, Candidate.accuracy.is_not(None), Candidate.n > 0)
    orders = (Candidate.accuracy.desc(), Candidate.n.desc())
    found = [session.scalars(measured.order_by(order, Candidate.n).limit(MOST_OF_EACH)) for order in orders]
    return sorted({n for numbers in found for n in numbers})


def teachers(session: Session, job_id: str) -> set[str]:
    """The agents of a job that have learned something."""
    return {algorithm for algorithm, _ in session.execute(_checkpoints(job_id)) if algorithm in AGENTS}


def _checkpoints(job_id: str) -> Select[str, bytes]:
    return (
        select(Search.algorithm, Checkpoint.arrays)
        .join(Checkpoint, Checkpoint.search_id == Search.id)
        .where(Search.job_id == job_id, Search.algorithm.in_(AGENTS))
    )


def _begins(session: Session, job: Job) -> bool:
    """Whether any of its searches has still to begin."""
    begun = select(Checkpoint.search_id).join(Search, Checkpoint.search_id == Search.id).where(Search.job_id == job.id)
    searches = select(Search.id).where(Search.job_id == job.id)
    return len(session.scalars(begun).all()) < len(session.scalars(searches).all())
