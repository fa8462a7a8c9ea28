"""The options of `paretrim submit`: one for each field of a job's request."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[str, typer.Option(help="Id of a model, or a file to upload.")]
Dataset = Annotated[str, typer.Option(help="Id of a dataset, or a file to upload.")]
Device = Annotated[str, typer.Option(help="Name of a device.")]
Candidates = Annotated[int, typer.Option(help="How many candidates each search may evaluate.")]
Algorithms = Annotated[
    list[str] | None,
    typer.Option("--algorithms", "--algorithm", help="Such as amc,nsga2; may be repeated.", show_default="portfolio"),
]
Objectives = Annotated[
    list[str] | None,
    typer.Option("--objectives", "--objective", help="Such as accuracy,latency_ms.", show_default="the server's"),
]
Constraint = Annotated[list[str] | None, typer.Option(help="Such as 'latency_ratio <= 0.5'; may be repeated.")]
Option = Annotated[list[str] | None, typer.Option(help="Of an algorithm, such as amc.warmup=20; may be repeated.")]
Seconds = Annotated[float | None, typer.Option(help="How long each search may take.")]
Seed = Annotated[int | None, typer.Option(help="Same seed, same answer.")]
Window = Annotated[int | None, typer.Option(help="Policies asked for at once, by each search.")]
FinetuneEpochs = Annotated[float | None, typer.Option(help="Of every delivered network.")]
Deliver = Annotated[int | None, typer.Option(help="At most so many front members are delivered.")]
ValidationSamples = Annotated[int | None, typer.Option(help="Inputs a candidate is scored on.")]
Finalists = Annotated[int | None, typer.Option(help="Tuned briefly, to choose from them what is delivered.")]
Racing = Annotated[
    float | None, typer.Option(help="Sure so far, candidates off the front are dropped early. 0: never.")
]
Metric = Annotated[str | None, typer.Option(help="top1, top5, mse or auc.")]
Compression = Annotated[
    list[str] | None, typer.Option(help="Such as weight_quantizer=kmeans or 'storage_bits=[2,4]'; may be repeated.")
]
UseData = Annotated[str | None, typer.Option(help="What networks learn from: none, unlabeled, few or full.")]
Recovery = Annotated[
    list[str] | None, typer.Option(help="Such as distillation=0.9 or scratch_control=true; may be repeated.")
]
Batch = Annotated[int | None, typer.Option(help="Inputs at once that delivered networks are timed with.")]
LearnFrom = Annotated[
    str | None, typer.Option(help="An earlier job: its candidates help on the same model, its agents on another.")
]
Name = Annotated[str | None, typer.Option(help="What to call it.")]
Tag = Annotated[list[str] | None, typer.Option(help="May be repeated.")]
Priority = Annotated[int | None, typer.Option(help="Higher goes first.")]
WatchIt = Annotated[bool, typer.Option("--watch", help="Watch it until it has ended.")]
