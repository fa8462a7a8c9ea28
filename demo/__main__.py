"""`make demo`: train, upload, profile, search, deliver, show. `make demo ARGS=--stop` ends the server at the end."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from demo import digits
from demo.server import Server
from paretrim import Client, Job, JobCandidate

CONSTRAINT = "latency_ratio <= 0.5"
out = Console() if sys.stdout.isatty() else Console(width=150)


def main() -> int:
    """Run the demo; the exit status."""
    options = _options()
    if options.out.exists():
        shutil.rmtree(options.out)
    started = time.monotonic()
    out.rule("1. train a classifier for real handwritten digits")
    net, dataset_path = digits.write(options.out, seed=options.seed)
    out.print(f"trained in {time.monotonic() - started:.1f} s; dataset {dataset_path}")

    out.rule("2. start the service (uvicorn, SQLite, local Ray)")
    server = Server(options.out)
    try:
        job = _submit_and_wait(server, net, dataset_path, options)
        _show(job, options.out)
        out.print(f"\n{time.monotonic() - started:.0f} s in all. Files lie in [bold]{options.out.resolve()}[/]")
        out.print(f"Dashboard: [bold]{server.url}/jobs/{job.id}[/]   API key: {server.api_key}", soft_wrap=True)
        if not options.stop:
            out.print("The service goes on running; press Ctrl-C to end it.")
            server.wait()
    except KeyboardInterrupt:
        out.print("ending the service")
    finally:
        server.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--stop", action="store_true", help="end the service when the job is done")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for all files (is emptied)")
    parser.add_argument("--candidates", type=int, default=48, help="evaluations per search")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _submit_and_wait(server: Server, net: torch.nn.Module, dataset_path: Path, options: argparse.Namespace) -> Job:
    client = Client(server.url, api_key=server.api_key)
    model = client.models.upload(net, example_input=torch.zeros(1, 1, 8, 8), name="digits-resnet")
    dataset = client.datasets.upload(dataset_path)
    assert model.inspection is not None
    out.print(f"uploaded {model.name}: {len(model.inspection['layers'])} layers, {model.inspection['macs']:,} MACs")

    out.rule("3. profile this machine into the latency table host-cpu")
    _profile(server)

    out.rule("4. search sparsity and bit-width with amc (DDPG) and nsga2, beside random and uniform")
    job = client.jobs.create(
        model=model,
        dataset=dataset,
        device="host-cpu",
        algorithms=["amc", "nsga2"],
        objectives=["accuracy", "latency_ms"],
        constraints=[CONSTRAINT],
        budget={"candidates": options.candidates},
        finetune_epochs=20,
        deliver=5,
        seed=options.seed,
        name="digits demo",
    )
    job.wait(progress=True)
    return job


def _profile(server: Server) -> None:
    command = [
        str(Path(sys.executable).with_name("paretrim")),
        "profile",
        "--device",
        "host-cpu",
        "--quick",
        "--upload",
    ]
    environment = {"PARETRIM_URL": server.url, "PARETRIM_API_KEY": server.api_key}
    subprocess.run(command, check=True, env=os.environ | environment)


def _show(job: Job, folder: Path) -> None:
    """Print the front, before and after, and put its files into `folder`."""
    out.rule(f"5. the front under {CONSTRAINT}")
    table = Table("n", "algorithm", "accuracy\nsearch (validation)", "accuracy\ndelivered (test)", "latency\npredicted",
                  "latency\nmeasured", "latency\noriginal", "speed-up", "file", "precision")  # fmt: skip
    for member in job.front():
        _add_row(table, member, folder)
    out.print(table)
    out.print("latency: ONNX Runtime, 1 thread, batch 1, ms; predicted by the table host-cpu")
    for search in job.searches():
        baseline = " (baseline)" if search.baseline else ""
        out.print(f"  {search.algorithm}{baseline}: {search.evaluated} evaluated, hypervolume {search.hypervolume:.4f}")


def _add_row(table: Table, member: JobCandidate, folder: Path) -> None:
    searched = member.searched
    if member.delivery is None:
        table.add_row(str(member.n), member.algorithm, f"{searched.accuracy:.4f}", "-", f"{searched.latency_ms:.4f}")
        return
    path = folder / f"digits-{member.n}.onnx"
    member.download(path)
    after, before = member.delivered, member.delivered_original
    assert after is not None
    assert before is not None
    table.add_row(
        str(member.n),
        member.algorithm,
        f"{searched.accuracy:.4f}",
        f"{before.accuracy:.4f} -> {after.accuracy:.4f}",
        f"{searched.latency_ms:.4f}",
        f"{after.latency_ms:.4f}",
        f"{before.latency_ms:.4f}",
        f"{before.value('latency_ms') / after.value('latency_ms'):.2f}x",
        f"{path.name} ({path.stat().st_size / 1000:.0f} kB)",
        member.delivery.precision,
    )


if __name__ == "__main__":
    sys.exit(main())
