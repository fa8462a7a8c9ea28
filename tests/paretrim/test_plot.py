"""Figures for notebooks: what is in them, read back from the figure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from paretrim import Client, InvalidInput, Job, wire
from paretrim._plot import _edge
from paretrim.problem import Bits, Policy
from tests.paretrim.conftest import Live
from tests.paretrim.test_jobs import finish
from tests.paretrim.worker import Worker, delivered

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def done(client: Client, live: Live, model: wire.Model, dataset: wire.Dataset, device: str) -> Job:
    """A job with a constraint; candidate 4 halves a group and quantizes a layer."""
    job = client.jobs.create(
        model=model, dataset=dataset, device=device, algorithms="random", budget=4, constraints="latency_ratio <= 0.9"
    )
    worker = Worker(live.service, job.id)
    finish(worker)
    return job.reload()


def test_the_front_is_drawn_with_the_original_the_constraint_and_the_rest(done: Job) -> None:
    figure = done.front().plot(candidates=done.candidates())
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["front"].x) == [0.5, 1.1, 1.4]
    assert list(traces["front"].y) == [70.0, 85.0, 91.0]
    assert list(traces["front"].customdata) == [3, 2, 1]
    assert "measured, ONNX Runtime" in traces["front"].text[2]
    assert set(traces["dominated"].customdata) == {0, 4}, "the one that failed has no place"
    assert list(traces["original"].x) == [2.0]
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(pytest.approx(1.8), pytest.approx(1.8))]
    assert figure.layout.annotations[0].text == "latency_ratio <= 0.9"
    assert figure.layout.xaxis.title.text == "Latency (ms)"
    assert figure.layout.yaxis.title.text == "Accuracy (%)"


def test_any_two_metrics_can_be_drawn(done: Job) -> None:
    figure = done.front().plot("size_bytes", "latency_ms")
    front = next(trace for trace in figure.data if trace.name == "front")
    assert list(front.x) == [20_000] * 3
    assert figure.layout.yaxis.title.text == "Latency (ms)"
    with pytest.raises(InvalidInput, match="'speed' is not a metric"):
        done.front().plot("speed")


def test_a_candidate_is_drawn_layer_by_layer(
    client: Client, live: Live, model: wire.Model, dataset: wire.Dataset, device: str
) -> None:
    assert model.inspection is not None
    group = next(g for g in model.inspection["network"]["groups"] if g["frozen"] is None)
    layers = [layer["name"] for layer in model.inspection["layers"]]
    job = client.jobs.create(model=model, dataset=dataset, device=device, algorithms="random", budget=2)
    worker = Worker(live.service, job.id)
    worker.record(1, delivered(0.8, 1.0), policy=Policy(keep={group["name"]: 0.5}, bits={layers[1]: Bits(4, 8)}))
    worker.succeed()
    figure = job.candidate(1).plot()
    traces = {trace.name: trace for trace in figure.data}
    kept, weights, activations = (traces[name] for name in ("channels kept", "weight bits", "activation bits"))
    assert list(kept.x) == layers
    halved = {name: y for name, y in zip(kept.x, kept.y, strict=True) if name in group["producers"]}
    assert set(halved.values()) == {50.0}
    assert dict(zip(weights.x, weights.y, strict=True))[layers[1]] == 4
    assert dict(zip(activations.x, activations.y, strict=True))[layers[1]] == 8
    assert dict(zip(weights.x, weights.y, strict=True))[layers[0]] == 32
    for when in ("before", "after"):
        assert sum(traces[f"latency {when}"].y) == pytest.approx(100)


def test_a_front_of_three_objectives_has_an_edge_that_never_falls() -> None:
    points = [(1.0, 70.0), (2.0, 60.0), (3.0, 80.0), (3.5, 75.0), (4.0, 90.0)]  # (latency_ms, accuracy in %)
    assert _edge(points, "latency_ms", "accuracy") == [(1.0, 70.0), (3.0, 80.0), (4.0, 90.0)]
    assert _edge([(b, a) for a, b in points], "accuracy", "latency_ms") == [(70.0, 1.0), (80.0, 3.0), (90.0, 4.0)]
    assert _edge([(1.0, 9.0), (2.0, 9.5), (3.0, 4.0)], "macs", "size_bytes") == [(1.0, 9.0), (3.0, 4.0)]


def test_without_plotly_it_says_how_to_get_it() -> None:
    code = (
        "import sys\nsys.modules['plotly'] = None\nsys.modules['plotly.graph_objects'] = None\n"
        "from paretrim._results import Frontier\nfrom paretrim.wire import Front\n"
        "front = Frontier(Front(job='j', objectives=['accuracy', 'macs'], constraints=[], members=[]), [])\n"
        "try: front.plot()\nexcept Exception as error: sys.stdout.write(str(error))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "plotting needs plotly: pip install 'paretrim[plot]'"
