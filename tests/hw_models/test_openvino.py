"""OpenVINO, where it is installed: its kernels are those that were predicted, and a table of it says so."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from hw_models.families import draw
from hw_models.fusion import Execution
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.precision import at_kernel_bits
from hw_models.profiler import host, profile_host
from hw_models.profiler.assignment import assign
from hw_models.profiler.rounds import Effort, Setting, measure_units
from hw_models.profiler.sweep import spread
from hw_models.runtimes import OPENVINO, check_runtime, installed_version, open_profiled
from hw_models.timing import Timing
from paretrim.errors import InvalidInput, InvalidModel
from paretrim.problem import FULL_PRECISION, Bits

installed = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed: pip install 'paretrim[openvino]'"
)


def test_a_runtime_that_is_missing_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hw_models.runtimes.installed_version", lambda _: None)
    with pytest.raises(InvalidInput, match=r"paretrim\[openvino\]"):
        profile_host(runtime_name=OPENVINO)
    with pytest.raises(InvalidInput, match="onnxruntime, openvino"):
        profile_host(runtime_name="tvm")


def test_a_table_of_another_runtime_is_not_this_hosts_unless_it_is_installed() -> None:
    document = {"hardware": host.hardware(), "runtime": {"name": OPENVINO, "version": "2019.1"}}
    assert any("openvino 2019.1" in why for why in host.differences(document))
    assert host.outdated({**document, "kind": "table", "name": "mine"})[0].endswith(
        "profile --device mine --runtime openvino"
    )
    assert host.outdated({**document, "kind": "table", "hardware": {"cpu_model": "another"}}) == []
    document["runtime"] = {"name": "onnxruntime", "version": installed_version("onnxruntime")}
    assert host.is_this_host(document)


@pytest.fixture(scope="module")
def execution() -> Execution:
    """As the probes find it."""
    from hw_models.profiler import openvino_probes

    openvino_probes.check_int8()
    fusion, layout = openvino_probes.find_fusion(), openvino_probes.find_layout()
    return Execution(kernels=(FULL_PRECISION, Bits(8, 8)), fusion=fusion, layout=layout)


@installed
@pytest.mark.parametrize(("family", "precision"), [("resnet", "int8"), ("mobilenet", "fp32"), ("plain", "mixed")])
def test_the_kernels_are_those_that_were_predicted(execution: Execution, family: str, precision: str) -> None:
    operations = draw(family, 3, precision=precision, hw=(16, 16), scale=0.4)  # type: ignore[arg-type]
    runner = open_profiled(OPENVINO, write_graph(at_kernel_bits(operations, execution)), Path())
    for _ in range(16):
        runner()
    found = assign(runner.finish(skip=0), lower(operations, execution))
    assert found.unexpected == ()
    assert found.missing == ()
    assert sum(samples[-1] for _, samples in found.durations_us) > 0


@installed
def test_units_are_measured_as_under_onnx_runtime(execution: Execution) -> None:
    assert check_runtime(OPENVINO) == OPENVINO
    units = spread(6, ("fp32", "int8"), execution, seed=0, batch=1)
    taken = measure_units(units, Setting(execution, runtime=OPENVINO), Effort(rounds=4, profiled_runs=16))
    assert len(taken.rows) >= 6
    assert all(row.latency_us > 0 for row in taken.rows.values())
    assert any(row.repeat_error > 0 for row in taken.rows.values())


@installed
def test_a_file_can_be_timed_in_it_and_one_it_cannot_load_is_refused() -> None:
    from hw_models.measure import time_onnx

    content = write_graph(draw("plain", 1, precision="fp32", hw=(8, 8), scale=0.4))
    assert isinstance(time_onnx(content, rounds=4, runtime=OPENVINO), Timing)
    with pytest.raises(InvalidModel, match="OpenVINO cannot load"):
        time_onnx(b"no network", runtime=OPENVINO)


@installed
def test_nothing_is_told_of_its_being_imported(tmp_path: Path) -> None:
    """The package's own reporter, were it installed, would send a message: it is not even loaded."""
    (tmp_path / "openvino_telemetry.py").write_text("raise SystemExit('the reporter was loaded')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import hw_models.openvino_sessions; print('quiet')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "quiet\n", done.stderr
