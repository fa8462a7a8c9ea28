"""Real networks and data for benchmarks: a folder named by PARETRIM_SHARED, else ../shared/data."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import onnxruntime
import torch

ROOT = Path(__file__).parent.parent


def folder() -> Path:
    """Where the files lie. Ends the program with the remedy if they are not there."""
    named = os.environ.get("PARETRIM_SHARED")
    candidates = [Path(named), Path(named) / "data"] if named else [ROOT.parent / "shared" / "data"]
    for path in candidates:
        if (path / "unpack.py").exists():
            return path
    sys.exit(f"no benchmark data in {' or '.join(map(str, candidates))}; set PARETRIM_SHARED to its folder")


def dataset(name: str) -> Path:
    """An .npz in the upload format (`cifar10`, `cifar10-small`, `fashion-mnist`), unpacked once per machine."""
    path = Path(tempfile.gettempdir()) / "paretrim-benchmarks" / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        subprocess.run([sys.executable, str(folder() / "unpack.py"), name, str(partial)], check=True)
        partial.rename(path)
    return path


def machine() -> str:
    """What the figures were taken on, and when; the first line of every printed table."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores {model}, {versions}"
