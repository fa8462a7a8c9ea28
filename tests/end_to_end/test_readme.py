"""The README's program, run as it stands against the real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from demo import digits
from demo.server import Server
from paretrim import Client
from paretrim._torch_export import export_module

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> object:
    running = Server(tmp_path_factory.mktemp("readme-server"), port=0)
    yield running
    running.stop()


def _program(server: Server) -> str:
    """The README's Python block with this test's address and key in place of its own, and a smaller budget."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    text = block.group(1)
    for old, new in (
        ('"http://127.0.0.1:8000"', repr(server.url)),
        ('"..."', repr(server.api_key)),
        ('"candidates": 300', '"candidates": 12'),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_program_in_the_readme_runs_and_leaves_a_smaller_faster_network(server: Server, tmp_path: Path) -> None:
    """With the digits in place of CIFAR-10: the files' names are the README's."""
    net, dataset = digits.write(tmp_path / "digits", epochs=6)
    dataset.rename(tmp_path / "cifar10.npz")
    (tmp_path / "resnet20.onnx").write_bytes(export_module(net, torch.zeros(1, 1, 8, 8)))
    profile = [
        str(Path(sys.executable).with_name("paretrim")),
        "profile",
        "--device",
        "host-cpu",
        "--quick",
        "--upload",
    ]
    environment = os.environ | {"PARETRIM_URL": server.url, "PARETRIM_API_KEY": server.api_key}
    subprocess.run(profile, check=True, env=environment, cwd=tmp_path, capture_output=True)
    (tmp_path / "program.py").write_text(_program(server))

    ended = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr[-3000:]
    rows = [line.split() for line in ended.stdout.strip().splitlines()]
    assert rows, "the front is empty"
    for accuracy, latency_ms, size_bytes in rows:
        assert 0.5 < float(accuracy) <= 1.0
        assert float(latency_ms) > 0
        assert int(size_bytes) > 0
    small = tmp_path / "small.onnx"
    assert small.stat().st_size < (tmp_path / "resnet20.onnx").stat().st_size
    assert _accuracy(small, tmp_path / "cifar10.npz") > 0.8


def test_the_answer_is_the_same_everywhere(server: Server) -> None:
    """What the SDK shows as the front is what REST says, and every member is a candidate of the job."""
    client = Client(server.url, api_key=server.api_key)
    job = next(iter(client.jobs.list()))
    members = {member.n for member in job.front()}
    assert members
    assert members == {candidate.n for candidate in job.candidates() if candidate.on_front}


def _accuracy(path: Path, dataset: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    with np.load(dataset) as data:
        logits = session.run(None, {session.get_inputs()[0].name: data["test_x"]})[0]
        return float((logits.argmax(1) == data["test_y"]).mean())
