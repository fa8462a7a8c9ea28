"""`paretrim submit`, `watch`, `jobs`, `front`, `download`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from paretrim import _submit_options
from paretrim._cli_connection import OutputOption, confirmed, connect, listed, literal, number, pairs, transfer
from paretrim._cli_files import Limit, Yes
from paretrim._output import Output, emit_one, emit_rows, figure, plain, say, write_json
from paretrim.client import Client
from paretrim.errors import InvalidInput, ParetrimError
from paretrim.jobs import Job, JobCandidate
from paretrim.problem import METRICS
from paretrim.wire import DEFAULT_ALGORITHM, State

jobs = typer.Typer(help="Jobs: listed, shown, steered, deleted.")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", show_default=False)]
#: of commands that say what became of a job in a sentence, unless data is asked for
Steered = Annotated[
    Output | None, typer.Option("--output", "-o", help="Print the job too, as this.", show_default=False)
]

_COLUMNS = ("id", "name", "state", "progress", "best", "front_size", "created_at")
_MEMBER_COLUMNS = ("n", "algorithm", "accuracy", "latency_ms", "size_bytes", "macs", "precision", "figures")
#: what ended badly, but for a failure that the command line itself met
EXIT_JOB_FAILED = 3
EXIT_INTERRUPTED = 130


def submit(
    ctx: typer.Context,
    model: _submit_options.Model,
    dataset: _submit_options.Dataset,
    device: _submit_options.Device,
    candidates: _submit_options.Candidates,
    algorithms: _submit_options.Algorithms = None,
    objectives: _submit_options.Objectives = None,
    constraint: _submit_options.Constraint = None,
    option: _submit_options.Option = None,
    seconds: _submit_options.Seconds = None,
    seed: _submit_options.Seed = None,
    window: _submit_options.Window = None,
    finetune_epochs: _submit_options.FinetuneEpochs = None,
    deliver: _submit_options.Deliver = None,
    validation_samples: _submit_options.ValidationSamples = None,
    finalists: _submit_options.Finalists = None,
    racing: _submit_options.Racing = None,
    metric: _submit_options.Metric = None,
    compression: _submit_options.Compression = None,
    use_data: _submit_options.UseData = None,
    recovery: _submit_options.Recovery = None,
    batch: _submit_options.Batch = None,
    learn_from: _submit_options.LearnFrom = None,
    name: _submit_options.Name = None,
    tag: _submit_options.Tag = None,
    priority: _submit_options.Priority = None,
    watch_it: _submit_options.WatchIt = False,
    output: OutputOption = Output.table,
) -> None:
    """Submit a job; its id is what a table or CSV begins with."""
    with connect(ctx) as client:
        job = client.jobs.create(
            model=_uploaded(client, model, "model"),
            dataset=_uploaded(client, dataset, "dataset"),
            device=device,
            algorithms=_choices(listed(algorithms) or [DEFAULT_ALGORITHM], pairs(option, "--option")),
            budget={"candidates": candidates, "seconds": seconds},
            objectives=listed(objectives) or None,
            constraints=constraint,
            seed=seed,
            window=window,
            finetune_epochs=finetune_epochs,
            deliver=deliver,
            validation_samples=validation_samples,
            finalists=finalists,
            racing=racing,
            metric=metric,
            compression={name: literal(value) for name, value in pairs(compression, "--compression").items()} or None,
            data=use_data,  # type: ignore[arg-type]
            recovery=_recovery(client, recovery) or None,
            batch=batch,
            learn_from=learn_from,
            name=name,
            tags=tag,
            priority=priority,
        )
        say(f"submitted {job.id}; follow it with: paretrim watch {job.id}")
        if watch_it:
            _follow(job)
        emit_one(job.view, _row(job), output)
        _judge(job)


def _recovery(client: Client, texts: list[str] | None) -> dict[str, Any]:
    """Options of fine-tuning. Teachers are ids, or files that are uploaded, one or several between commas."""
    options = {name: literal(value) for name, value in pairs(texts, "--recovery").items()}
    named = options.get("teachers")
    if isinstance(named, str):
        named = [name.strip() for name in named.split(",")]
    if named is not None:
        options["teachers"] = [_uploaded(client, str(name), "model") for name in named]
    return options


def _uploaded(client: Client, given: str, kind: str) -> str:
    """An id; of a file, the id of what it becomes."""
    file = Path(given).expanduser()
    if not file.is_file():
        if "." in file.name or "/" in given:
            raise InvalidInput(f"{given} is neither the id of a {kind} nor a file that is there", field=kind)
        return given
    with transfer(file.name) as progress:
        files: Any = client.models if kind == "model" else client.datasets
        uploaded: str = files.upload(file, progress=progress).id
    say(f"uploaded {file.name} as {uploaded}")
    return uploaded


def _choices(names: list[str], options: Mapping[str, str]) -> list[str | dict[str, Any]]:
    """Algorithms with their options. Raises InvalidInput for an option of an algorithm that is not named."""
    of: dict[str, dict[str, Any]] = {name: {} for name in names}
    for where, value in options.items():
        algorithm, _, option = where.partition(".")
        if algorithm not in of or not option:
            raise InvalidInput(
                f"--option {where} must be ALGORITHM.OPTION=VALUE, of one of {', '.join(names)}", field="--option"
            )
        of[algorithm][option] = literal(value)
    return [{"name": name, "options": options} if options else name for name, options in of.items()]


def watch(ctx: typer.Context, job: JobId, output: OutputOption = Output.table) -> None:
    """Watch a job until it has ended. Ctrl-C stops watching, not the job."""
    with connect(ctx) as client:
        found = client.jobs.get(job)
        _follow(found)
        emit_one(found.view, _row(found), output)
        _judge(found)


def _follow(job: Job) -> None:
    try:
        job.wait(progress=True)
    except KeyboardInterrupt:
        say(f"\nno longer watching; the job goes on. Watch again: paretrim watch {job.id}")
        say(f"Stop it: paretrim jobs cancel {job.id}")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _judge(job: Job) -> None:
    if job.state == "cancelled":
        say(f"job {job.id} was cancelled")
        raise typer.Exit(EXIT_JOB_FAILED)


@jobs.callback(invoke_without_command=True)
def jobs_alone(ctx: typer.Context) -> None:
    """Jobs. Without a command: the list."""
    if ctx.invoked_subcommand is None:
        list_jobs(ctx)


@jobs.command("list")
def list_jobs(
    ctx: typer.Context,
    state: Annotated[list[str] | None, typer.Option(help="Only those in these states, such as running,queued.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    text: Annotated[str | None, typer.Option(help="Only those with this in their name or id.")] = None,
    limit: Limit = None,
    output: OutputOption = Output.table,
) -> None:
    """All jobs, newest first."""
    with connect(ctx) as client:
        found = client.jobs.list(state=_states(state), tag=tag, text=text, limit=limit).all()
    emit_rows([_row(job) for job in found], _COLUMNS, output, whole=[job.view for job in found])


def _states(given: list[str] | None) -> list[State] | None:
    known: tuple[State, ...] = get_args(State)
    for state in listed(given):
        if state not in known:
            raise InvalidInput(f"{state!r} is not a state; there are {', '.join(known)}", field="--state")
    return [state for state in known if state in listed(given)] or None


@jobs.command("show")
def show_job(ctx: typer.Context, job: JobId, output: OutputOption = Output.table) -> None:
    """One job."""
    with connect(ctx) as client:
        found = client.jobs.get(job)
    request = found.request
    more = {
        "algorithms": [choice.name for choice in request.choices()],
        "objectives": request.objectives,
        "constraints": request.constraints,
        "budget": request.budget.candidates,
        "seed": request.seed,
        "device": request.device,
        "hypervolume": found.hypervolume,
        "cost": found.cost,
        "warnings": found.warnings,
        "error": None if found.error is None else found.error.message,
    }
    emit_one(found.view, _row(found) | more, output)


@jobs.command("check")
def check(
    ctx: typer.Context,
    model: Annotated[str, typer.Option(help="Id of a model.")],
    device: Annotated[str, typer.Option(help="Name of a device.")],
    constraint: Annotated[list[str] | None, typer.Option(help="Such as 'latency_ratio <= 0.5'.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """What could be had of a model on a device, and which constraints can be met. Nothing is submitted."""
    with connect(ctx) as client:
        found = client.jobs.check(model=model, device=device, constraints=constraint)
    original = {name: value for name, value in found.original.items() if name in METRICS and value is not None}
    verdicts = {each.text: f"{each.verdict}; smallest reachable {figure(each.reachable)}" for each in found.constraints}
    longest = {part.name: f"{part.share:.1%}" for part in found.parts[:5]}
    row = {"original": original, "smallest reachable": found.smallest, **verdicts, "longest operations": longest}
    emit_one(found, row, output)


@jobs.command("queue")
def queue(ctx: typer.Context, output: OutputOption = Output.table) -> None:
    """The jobs that are worked on, and those that wait, next first."""
    with connect(ctx) as client:
        found = client.jobs.queue()
    rows: list[dict[str, Any]] = [held.model_dump() for held in found.held]
    rows += [waiting.model_dump() | {"state": "queued"} for waiting in found.waiting]
    columns = ("id", "name", "state", "phase", "worker", "attempt", "lease_seconds", "worked_seconds", "priority")
    emit_rows(rows, columns, output, whole=[found])


@jobs.command("cancel")
def cancel(ctx: typer.Context, job: JobId, output: Steered = None) -> None:
    """Stop a job for good; what it found stays."""
    _steer(ctx, job, "cancel", output)


@jobs.command("update")
def update(
    ctx: typer.Context,
    job: JobId,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="In place of its tags; may be repeated.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher goes first.")] = None,
    candidates: Annotated[int | None, typer.Option(help="A larger budget for each search.")] = None,
    output: Steered = None,
) -> None:
    """Rename, tag or re-prioritise a job, or raise its budget."""
    with connect(ctx) as client:
        found = client.jobs.get(job).update(name=name, tags=tag or None, priority=priority, candidates=candidates)
    _said(found, output)


@jobs.command("clone")
def clone(
    ctx: typer.Context,
    job: JobId,
    change: Annotated[list[str] | None, typer.Option("--set", help="Such as seed=1; may be repeated.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Submit a job's request again, with changes."""
    changes = {name: literal(value) for name, value in pairs(change, "--set").items()}
    with connect(ctx) as client:
        found = client.jobs.get(job).clone(**changes)
    emit_one(found.view, _row(found), output)


@jobs.command("pause")
def pause(ctx: typer.Context, job: JobId, output: Steered = None) -> None:
    """Stop a job so that it can go on later."""
    _steer(ctx, job, "pause", output)


@jobs.command("resume")
def resume(ctx: typer.Context, job: JobId, output: Steered = None) -> None:
    """Let a paused job go on."""
    _steer(ctx, job, "resume", output)


def _steer(ctx: typer.Context, job: str, verb: str, output: Output | None) -> None:
    with connect(ctx) as client:
        found = client.jobs.get(job)
        getattr(found, verb)()
    _said(found, output)


def _said(job: Job, output: Output | None) -> None:
    """How a job is now: in a sentence, and as data if that was asked for."""
    say(f"job {job.id} is {job.state}")
    if output is not None:
        emit_one(job.view, _row(job), output)


@jobs.command("delete")
def delete(ctx: typer.Context, job: JobId, yes: Yes = False) -> None:
    """Delete a job that has ended, with all it found."""
    confirmed(f"deleting job {job} with all it found", yes)
    with connect(ctx) as client:
        client.jobs.get(job).delete()
    say(f"deleted {job}")


@jobs.command("searches")
def searches(ctx: typer.Context, job: JobId, output: OutputOption = Output.table) -> None:
    """The searches of a job, the baselines included."""
    with connect(ctx) as client:
        found = client.jobs.get(job).searches()
    columns = ("algorithm", "baseline", "seed", "state", "evaluated", "failed", "total", "hypervolume", "best")
    emit_rows([search.model_dump() for search in found], columns, output, whole=found)


@jobs.command("candidates")
def candidates(
    ctx: typer.Context,
    job: JobId,
    where: Annotated[str | None, typer.Option(help="Such as 'latency_ms <= 2, accuracy >= 0.9'.")] = None,
    order_by: Annotated[str | None, typer.Option(help="n or a metric; - before it for descending.")] = None,
    limit: Limit = None,
    output: OutputOption = Output.table,
) -> None:
    """Every candidate a job proposed, failures included."""
    columns = ("n", "algorithm", *METRICS, "feasible", "on_front", "failure")
    with connect(ctx) as client:
        found = client.jobs.get(job).candidates(where=where, order_by=order_by, limit=limit).all()
    rows = [{name: getattr(candidate, name) for name in columns} for candidate in found]
    emit_rows(rows, columns, output, whole=[candidate.view for candidate in found])


@jobs.command("events")
def events(
    ctx: typer.Context,
    job: JobId,
    after: Annotated[int, typer.Option(min=0, help="Only those after this number.")] = 0,
) -> None:
    """What happens to a job as it happens, one JSON object a line, until the job has ended."""
    import json
    import sys

    with connect(ctx) as client:
        for event in client.jobs.get(job).events(after=after):
            sys.stdout.write(json.dumps(plain(event), ensure_ascii=False) + "\n")
            sys.stdout.flush()


def front(ctx: typer.Context, job: JobId, output: OutputOption = Output.table) -> None:
    """The candidates of a job that no other dominates and that meet every constraint.

    `figures` says which they are: `delivered` (fine-tuned, exported, on the test split, in the runtime) or `searched`.
    """
    with connect(ctx) as client:
        found = client.jobs.get(job).front()
    if output is Output.json:
        write_json(plain(found.front))
        return
    if not len(found):
        say("the front is empty: no candidate meets every constraint yet")
    emit_rows([_member_row(member) for member in found], _MEMBER_COLUMNS, output)


def download(
    ctx: typer.Context,
    job: JobId,
    out: Annotated[Path, typer.Option(help="Where to: a file, or a directory.")] = Path(),
    best: Annotated[str | None, typer.Option(help="The best in this metric.", metavar="METRIC")] = None,
    within: Annotated[
        list[str] | None, typer.Option(help="Of those within a bound, such as latency_ms=1.5; may be repeated.")
    ] = None,
    candidate: Annotated[int | None, typer.Option(help="This candidate, by its number.")] = None,
    file: Annotated[str | None, typer.Option(help="Another file of it than the network, such as report.md.")] = None,
) -> None:
    """Download one network of a job's front, or all that were delivered; where they lie goes to stdout."""
    bounds = {name: number(value, "--within") for name, value in pairs(within, "--within").items()}
    with connect(ctx) as client:
        found = client.jobs.get(job)
        if candidate is not None:
            members = [found.candidate(candidate)]
        elif best is not None or bounds:
            members = [found.front().best(best, **bounds)]
        else:
            members = found.front().delivered
            if not members:
                raise ParetrimError(f"job {job} has delivered nothing (yet); it is {found.state}")
            if len(members) > 1 and not out.expanduser().is_dir():
                raise InvalidInput(
                    f"job {job} delivered {len(members)} networks; give a directory that exists as --out, or choose "
                    "one with --best or --candidate",
                    field="--out",
                )
        for member in members:
            with transfer(f"candidate {member.n}") as progress:
                where = member.download(out, file=file, progress=progress)
            typer.echo(str(where))


def _row(job: Job) -> dict[str, Any]:
    progress = f"{job.progress.completed}/{job.progress.total} {job.progress.phase}"
    row = {name: getattr(job, name) for name in _COLUMNS if name != "progress"}
    return {name: progress if name == "progress" else row[name] for name in _COLUMNS}


def _member_row(member: JobCandidate) -> dict[str, Any]:
    row = {name: getattr(member, name) for name in _MEMBER_COLUMNS[:6]}
    delivery = member.delivery
    return row | {
        "precision": None if delivery is None else delivery.precision,
        "figures": "searched" if delivery is None else "delivered",
    }
