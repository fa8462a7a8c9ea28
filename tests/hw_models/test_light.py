"""A target needs onnxruntime, onnx and numpy to be profiled, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

_PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import search.commands
from hw_models.fusion import Execution
from hw_models.interpolation import fit
from hw_models.profiler import profile_host
from hw_models.profiler.probes import find_fusion, find_layout
from hw_models.profiler.rounds import Effort, Setting, measure_units
from hw_models.profiler.sweep import spread
from paretrim.problem import Bits

execution = Execution(kernels=(Bits(), Bits(8, 8)), fusion=find_fusion(), layout=find_layout())
units = spread(6, ("fp32", "int8"), execution, seed=0, batch=1)
taken = measure_units(units, Setting(execution), Effort(rounds=3, profiled_runs=8))
fit({{unit: row.latency_us for unit, row in taken.rows.items()}})
print(len(taken.rows))
"""
_ABSENT = {
    *("torch", "ray", "sklearn", "scipy", "fastapi", "sqlalchemy", "stable_baselines3", "optuna", "tensorly"),
    *("constriction", "safetensors", "psutil", "alembic", "uvicorn", "pandas", "threadpoolctl"),
}


def test_a_target_is_profiled_without_torch_and_scikit_learn() -> None:
    program = _PROGRAM.format(absent=repr(_ABSENT))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


def test_the_extra_for_a_target_names_what_the_profiler_imports() -> None:
    extras = tomllib.loads(Path("sdk/pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert [entry.partition(">")[0] for entry in extras["profile"]] == ["onnxruntime", "onnx", "numpy"]
