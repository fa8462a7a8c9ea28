"""`paretrim best`: what a finished job of `paretrim run` has to say about other constraints, without a new search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from paretrim._output import Output, emit_rows, say
from paretrim.errors import InvalidInput
from paretrim.problem import Constraint

_COLUMNS = ("source", "n", "accuracy", "deviation", "latency_ms", "size_bytes", "macs", "bops")


def best(
    folder: Annotated[Path, typer.Argument(help="The folder of a job that `paretrim run` left.")],
    constraint: Annotated[list[str], typer.Option(help="'latency_ratio <= 0.3'. Repeatable.")],
    metric: Annotated[str, typer.Option(help="What should be best; anything but accuracy: evaluated ones only.")] = (
        "accuracy"
    ),
    output: Annotated[Output, typer.Option("--output", "-o", help="How data is written to stdout.")] = Output.table,
) -> None:
    """The best under other constraints: the candidate that was evaluated, and the policy that is predicted."""
    answers = query(folder, [Constraint.parse(text) for text in constraint], metric)
    emit_rows(answers, _COLUMNS, output, whole=answers)
    if not answers:
        say("no candidate of this job is within these constraints, and none is predicted to be")
    elif any(answer["source"] == "predicted" for answer in answers):
        say("predicted: expected of the job's own candidates, not evaluated")


def query(folder: Path, constraints: list[Constraint], metric: str) -> list[dict[str, Any]]:
    """The answers as plain values. Raises InvalidInput, Infeasible."""
    from compressors import PackedSizes
    from paretrim.network import Network
    from paretrim.problem import Measurement, Provenance
    from search.explore import SearchSetting
    from search.local import kept
    from search.query import asked_space, best_under

    plan, record, candidates = kept(folder)
    if record is None:
        raise InvalidInput(f"the job in {folder} has not begun; continue it with --resume {folder}", field="folder")
    preparation, original = record["preparation"], Measurement.from_json(record["original"])
    sizes = preparation.get("packed_sizes")
    setting = SearchSetting(
        Network.from_json(preparation["network"]),
        preparation["device"],
        original,
        Provenance("measured", "validation split"),
        sizes=None if sizes is None else PackedSizes.from_json(sizes),
    )
    space = asked_space(setting.space(plan), constraints)
    answers = best_under(candidates, original, constraints, space, metric=metric, seed=plan.seed)
    return [answer.to_json() for answer in answers]
