"""`paretrim run`, `profile`, `inspect` and `devices`: what works on this machine without a server."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from paretrim._cli_jobs import EXIT_INTERRUPTED, EXIT_JOB_FAILED
from paretrim._output import Output, emit_one, emit_rows, say
from paretrim.algorithms import check_options, with_baselines
from paretrim.client import Client
from paretrim.compression import Compression
from paretrim.errors import Infeasible, InvalidInput, JobFailed
from paretrim.problem import Budget, Constraint, Objective
from paretrim.recovery import Data, Recovery
from paretrim.wire import AUTO, DEFAULT_ALGORITHM, AlgorithmChoice
from search.device_commands import devices as devices
from search.local_devices import HOST, device_folder, find_device, keep_device
from search.plan import CONFIDENCE, Interrupted, JobInputs, JobPlan, ModelFile, SearchPlan

if TYPE_CHECKING:
    from search.local import FolderRecorder

_FRONT_COLUMNS = ("n", "algorithm", "accuracy", "latency_ms", "size_bytes", "macs", "split", "precision", "file")

OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How data is written to stdout.")]
DeviceOption = Annotated[str, typer.Option(help="Name of a device, or a .json file.")]
ArchitectureOption = Annotated[
    str | None, typer.Option(help="Of a safetensors file: the registered architecture its weights are for.")
]


def run(
    model: Annotated[Path | None, typer.Argument(help="An .onnx file, or .safetensors with --architecture.")] = None,
    data: Annotated[Path | None, typer.Argument(help="An .npz file.")] = None,
    device: DeviceOption = HOST,
    algorithms: Annotated[str, typer.Option(help="Names, separated by commas.")] = DEFAULT_ALGORITHM,
    option: Annotated[list[str] | None, typer.Option(help="Of an algorithm: amc.warmup=20. Repeatable.")] = None,
    objectives: Annotated[str, typer.Option(help="Metrics, separated by commas, or auto.")] = "accuracy,latency_ms",
    constraint: Annotated[list[str] | None, typer.Option(help="'latency_ratio <= 0.5'. Repeatable.")] = None,
    candidates: Annotated[int, typer.Option(min=1, help="Candidates of each search.")] = 200,
    seconds: Annotated[float | None, typer.Option(help="Seconds of each search.")] = None,
    finetune_epochs: Annotated[float, typer.Option(min=0, help="Epochs each delivered network is tuned.")] = 1.0,
    deliver: Annotated[int, typer.Option(min=0, help="At most so many networks are delivered.")] = 8,
    window: Annotated[int, typer.Option(min=1, max=256, help="Policies asked for at once.")] = 8,
    validation_samples: Annotated[int | None, typer.Option(min=1, help="Rows candidates are scored on.")] = None,
    finalists: Annotated[int, typer.Option(min=0, help="Tuned briefly, to choose from them what is delivered.")] = 0,
    racing: Annotated[
        float,
        typer.Option(min=0, max=0.9999, help="Sure so far, candidates off the front are dropped early. 0: never."),
    ] = CONFIDENCE,
    metric: Annotated[str, typer.Option(help="top1, top5, mse or auc.")] = "top1",
    compression: Annotated[
        list[str] | None, typer.Option(help="weight_quantizer=kmeans, 'storage_bits=[2,4]'. Repeatable.")
    ] = None,
    use_data: Annotated[Data, typer.Option(help="What networks may learn from the training split.")] = "full",
    recovery: Annotated[
        list[str] | None, typer.Option(help="distillation=0.9, scratch_control=true. Repeatable.")
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, max=1024, help="Delivered networks are timed with so many inputs too.")
    ] = 1,
    architecture: ArchitectureOption = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder the results are left in.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue the job of this folder.")] = None,
    learn_from: Annotated[Path | None, typer.Option(help="Begin with what the job of this folder found.")] = None,
    executor: Annotated[Literal["inline", "ray"], typer.Option(help="One process, or a pool of them.")] = "ray",
    workers: Annotated[int | None, typer.Option(min=1, help="Evaluations at once on Ray.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Search for smaller networks here, without a server."""
    if resume is not None:
        job = _resumed(resume)
    else:
        plan = JobPlan(
            id="local",
            searches=_searches(algorithms, option or [], seed),
            objectives=() if objectives.strip() == AUTO else tuple(map(Objective, listed_names(objectives))),
            constraints=tuple(Constraint.parse(text) for text in constraint or []),
            budget=Budget(candidates, seconds),
            seed=seed,
            window=window,
            finetune_epochs=finetune_epochs,
            deliver=deliver,
            validation_samples=validation_samples,
            finalists=finalists,
            racing=racing,
            metric=metric,
            compression=Compression.from_json(_pairs(compression or [])),
            recovery=_recovery(recovery or [], use_data),
            batch=batch,
        )
        files = _given(model, "model"), _given(data, "data")
        job = _started(plan, *files, device, architecture, out, learn_from)
    members, failures = _run(job, executor, workers)
    emit_rows(members, _FRONT_COLUMNS, output, whole=members)
    say(f"{len(members)} networks on the front; see {job.folder / 'report.md'}")
    if failures:
        say("every search that was asked for failed, so these are the baselines' networks: " + "; ".join(failures))
        raise typer.Exit(EXIT_JOB_FAILED)


@dataclass(frozen=True)
class LocalJob:
    """A job and the folder it is kept in."""

    folder: Path
    plan: JobPlan
    inputs: JobInputs


def _searches(algorithms: str, options: list[str], seed: int) -> tuple[SearchPlan, ...]:
    """An algorithm named twice runs again with the next seed."""
    names = [name.strip() for name in algorithms.split(",") if name.strip()]
    chosen: dict[str, dict[str, Any]] = {name: {} for name in names}
    for text in options:
        key, equals, value = text.partition("=")
        algorithm, dot, name = key.partition(".")
        if not equals or not dot or algorithm not in chosen:
            raise InvalidInput(f"--option {text!r} must be ALGORITHM.NAME=VALUE of one of {algorithms}", field="option")
        chosen[algorithm][name] = _value(value)
    for name, given in chosen.items():
        check_options(name, given)
    runs = with_baselines([AlgorithmChoice(name=name, options=chosen[name]) for name in names])
    repeats = [sum(earlier.name == run.name for earlier in runs[:position]) for position, run in enumerate(runs)]
    return tuple(
        SearchPlan(f"s{position}-{run.name}", position, run.name, run.options, seed + repeats[position], run.baseline)
        for position, run in enumerate(runs)
    )


def _pairs(texts: list[str], what: str = "compression") -> dict[str, Any]:
    for text in texts:
        if "=" not in text:
            raise InvalidInput(f"--{what} {text!r} must be NAME=VALUE", field=what)
    return {name: _value(value) for name, _, value in (text.partition("=") for text in texts)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _recovery(texts: list[str], data: Data) -> Recovery:
    """The options of fine-tuning; teachers are files, one or several between commas."""
    options = _pairs(texts, "recovery") | {"data": data}
    if isinstance(options.get("teachers"), str):
        options["teachers"] = listed_names(options["teachers"])
    return Recovery.from_json(options)


def _teachers(plan: JobPlan, architecture: str | None) -> tuple[ModelFile, ...]:
    """The files that teach; weights alone are of the model's architecture."""
    paths = [_given(Path(name), "recovery.teachers") for name in plan.recovery.teachers]
    return tuple(ModelFile(p.read_bytes(), architecture if p.suffix == ".safetensors" else None) for p in paths)


def _given(path: Path | None, what: str) -> Path:
    if path is None:
        raise InvalidInput("say which model and which data: paretrim run MODEL DATA --out DIR", field=what)
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}", field=what)
    return path


def _started(
    plan: JobPlan,
    model: Path,
    data: Path,
    device: str,
    architecture: str | None,
    out: Path | None,
    learn_from: Path | None,
) -> LocalJob:
    """A new job in a folder that holds none."""
    if out is None:
        raise InvalidInput("say where the results go: --out DIR", field="out")
    from search.local import begin, with_lessons

    if model.suffix == ".safetensors" and architecture is None:
        raise InvalidInput("weights alone are no network; say --architecture NAME", field="architecture")
    teachers = _teachers(plan, architecture)
    inputs = JobInputs(model.read_bytes(), data.resolve(), find_device(device, say), architecture, teachers)
    plan = _for_device(plan, inputs)
    if learn_from is not None:
        plan = with_lessons(plan, inputs, learn_from)
    begin(out, plan, inputs)
    return LocalJob(out, plan, inputs)


def _for_device(plan: JobPlan, inputs: JobInputs) -> JobPlan:
    """The plan with what the device adds: its memory and flash as constraints, objectives where they are `auto`."""
    from hw_models.limits import with_limits
    from search.inspection import advice_for

    constraints = with_limits(plan.constraints, inputs.device)
    if plan.objectives:
        return replace(plan, constraints=constraints)
    advice = advice_for(inputs.model, inputs.architecture, inputs.device)
    say(f"objectives {', '.join(advice.objectives)}: {advice}")
    return replace(plan, constraints=constraints, objectives=tuple(map(Objective, advice.objectives)))


def listed_names(text: str) -> list[str]:
    """Names between commas."""
    return [name.strip() for name in text.split(",")]


def _resumed(folder: Path) -> LocalJob:
    from search.local import taken_up

    plan, inputs = taken_up(folder)
    return LocalJob(folder, plan, inputs)


def _run(
    job: LocalJob, executor: Literal["inline", "ray"], workers: int | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Run to the end: what front.json holds, and if all searches that were asked for failed, why each did.

    Leaves with 130 if it was interrupted.
    Raises JobFailed; InvalidInput or Infeasible if that is why, and then the folder is free for another job.
    """
    from search.local import FolderRecorder, abandon
    from search.local_progress import watched
    from search.local_results import write_results
    from search.run import run_job

    best: dict[str, float] = {}
    with watched(lambda: ", ".join(f"best {name} {value:.4g}" for name, value in best.items())) as (show, tell):
        recorder = FolderRecorder(job.folder, job.plan, show=show, say=tell, best=best)
        try:
            with _stops_on_interrupt(recorder), _only_data_on_stdout():
                run_job(job.plan, job.inputs, recorder, executor=executor, workers=workers)
            return write_results(recorder), _failures(recorder)
        except JobFailed as failed:
            if isinstance(failed.__cause__, InvalidInput | Infeasible) and recorder.preparation() is None:
                abandon(job.folder)
                raise failed.__cause__ from None
            raise
        except (Interrupted, KeyboardInterrupt):
            say(f"stopped; continue with: paretrim run --resume {job.folder}")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        finally:
            recorder.close()


def _failures(recorder: FolderRecorder) -> list[str]:
    """Why each search failed that was asked for; [] if one of them did not."""
    asked = [search.id for search in recorder.plan.searches if not search.baseline]
    ends = recorder.ends()
    failed = [message or "no reason was given" for end, message in map(ends.__getitem__, asked) if end == "failed"]
    return failed if len(failed) == len(asked) else []


@contextmanager
def _only_data_on_stdout() -> Iterator[None]:
    """What libraries in C print (HiGHS does, whatever it is told) goes to stderr, not among the data."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # their buffers, while they still lead to stderr
        os.dup2(stdout, 1)
        os.close(stdout)


@contextmanager
def _stops_on_interrupt(recorder: Any) -> Iterator[None]:
    """The first Ctrl-C stops between two candidates, the second at once."""

    def stop(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        if recorder.stop != "run":
            raise KeyboardInterrupt
        recorder.stop = "pause"

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def profile(
    ctx: typer.Context,
    device: Annotated[str | None, typer.Option(help="What to call the table; absent: host-cpu[-openvino].")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; absent: where `run` looks for it.")] = None,
    model: Annotated[list[Path] | None, typer.Option(help="Measure this model's operations too. Repeatable.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer operations and repetitions.")] = False,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads the runtime may use.")] = 1,
    precision: Annotated[str, typer.Option(help="fp32, int8 or both, separated by a comma.")] = "fp32,int8",
    runtime: Annotated[str, typer.Option(help="onnxruntime, or openvino where it is installed.")] = "onnxruntime",
    upload: Annotated[bool, typer.Option("--upload", help="Put the table to the server as well.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Measure this machine into a latency table. Interrupted, the same command goes on where it was."""
    from search.local_devices import profile as profile_this_host

    models = [_given(path, "model").read_bytes() for path in model or []]
    precisions = tuple(part.strip() for part in precision.split(",") if part.strip())
    name = device or (HOST if runtime == "onnxruntime" else f"{HOST}-{runtime}")
    document = profile_this_host(
        name, models, quick=quick, say=say, threads=threads, precisions=precisions, runtime_name=runtime
    )
    path = out or device_folder() / f"{name}.json"
    keep_device(document, path)
    row = {"device": name, "rows": len(document["rows"]), "file": str(path)}
    if upload:
        with Client(ctx.find_root().params.get("url")) as client:
            client.devices.put(name, document)
        say(f"uploaded {name}")
    emit_one(row, row, output)


def inspect(
    model: Annotated[Path, typer.Argument(help="An .onnx file, or .safetensors with --architecture.")],
    device: Annotated[str | None, typer.Option(help="Also say what it costs there: a name or a .json file.")] = None,
    architecture: ArchitectureOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Show what paretrim sees in a model file: layers, groups, costs."""
    from search.inspection import inspect_model

    found = inspect_model(_given(model, "model").read_bytes(), architecture, _document(device))
    if output is Output.table:
        emit_one(found, {name: value for name, value in found.items() if not isinstance(value, list | dict)}, output)
        _show_advice(found["advice"])
        emit_rows(found["layers"], list(found["layers"][0]), output)
        emit_rows(found["groups"], list(found["groups"][0]), output)
    else:
        emit_rows(found["layers"], list(found["layers"][0]), output, whole=[found])
    for warning in found["warnings"]:
        say(f"warning: {warning}")


def _show_advice(advice: dict[str, Any] | None) -> None:
    """Where it goes on the device, what binds, and what that suggests."""
    if advice is None:
        return
    columns = ("operation", "kind", "latency_ms", "time_share", "energy_mj", "macs", "size_bytes")
    emit_rows(advice["layers"], (*columns, "activation_bytes", "bound", "source"), Output.table)
    row = {
        "binds": f"{advice['binds']}: {advice['why']}",
        "time goes to": ", ".join(f"{name} {share:.0%}" for name, share in advice["time_shares"].items()),
        "suggested objectives": ",".join(advice["objectives"]),
        **{f"action {position}": action for position, action in enumerate(advice["actions"], 1)},
        **{f"cannot run there {position}": why for position, why in enumerate(advice["infeasible"], 1)},
    }
    emit_one(row, row, Output.table)


def _document(device: str | None) -> Any:
    return None if device is None else find_device(device, say)
