"""Trained networks as users bring them, from the folder of real files where there is one: they come in, are cut, learn
and go out.

    PARETRIM_SHARED=/path/to/shared/data make test ARGS=tests/compressors/test_real_files.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from compressors import (
    Compressor,
    FinetuneOptions,
    Imported,
    TensorData,
    check_parity,
    collect_statistics,
    describe,
    finetune,
    read_onnx,
    write_onnx,
)
from compressors.parity import open_session
from paretrim.problem import Policy

ROOT = Path(__file__).parent.parent.parent

#: of both torch exporters, with batch norms and with folded ones, and of another converter
FILES = (
    "resnet20_cifar10.onnx",
    "resnet20_cifar10_dynamo.onnx",
    "resnet20_cifar10_folded.onnx",
    "resnet56_cifar10.onnx",
    "kws_dscnn.onnx",
)


def content(name: str) -> bytes:
    """Of a real file. Skips the test, saying why, where there is none."""
    folders = [Path(os.environ["PARETRIM_SHARED"])] if "PARETRIM_SHARED" in os.environ else []
    for folder in (*folders, *(f / "data" for f in folders), ROOT.parent / "shared" / "data"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    pytest.skip(f"{name} is not here; set PARETRIM_SHARED to the folder that holds it")


def outputs_by_onnx_runtime(file: bytes, inputs: torch.Tensor) -> torch.Tensor:
    session = open_session(file)
    entry = session.get_inputs()[0]
    at_once = entry.shape[0] if isinstance(entry.shape[0], int) else len(inputs)
    parts = [session.run(None, {entry.name: rows.numpy()})[0] for rows in torch.split(inputs, at_once)]
    return torch.cat([torch.from_numpy(part) for part in parts])


def half(imported: Imported, inputs: torch.Tensor) -> tuple[Compressor, Policy]:
    network = describe(imported)
    policy = Policy(keep=dict.fromkeys((group.name for group in network.prunable_groups), 0.5))
    return Compressor(imported, network, collect_statistics(imported, network, inputs)), policy


@pytest.mark.parametrize("name", FILES)
def test_a_real_network_comes_in_is_cut_learns_and_goes_out(name: str) -> None:
    file = content(name)
    imported = read_onnx(file)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(16, *imported.input_shape, generator=generator)
    with torch.no_grad():
        own = imported.module(inputs)
    theirs = outputs_by_onnx_runtime(file, inputs)
    assert float((own - theirs).abs().max() / theirs.abs().max()) < 1e-4

    compressor, policy = half(imported, inputs)
    compressed = compressor.compress(policy)
    rows = TensorData(inputs, own.argmax(1))
    before = {key: value.clone() for key, value in compressed.module.state_dict().items()}
    options = FinetuneOptions(epochs=1, batch_size=16, augmentation="none", patience=None, ema_decay=0.5)
    states = []
    finetune(compressed, imported.module, rows, rows, options, checkpoint=states.append)
    assert [state.step for state in states] == [1]
    learnt = states[0].named("module")
    assert any(not torch.equal(learnt[key], value) for key, value in before.items())
    assert all(bool(torch.isfinite(value).all()) for value in learnt.values())

    compressed.module.load_state_dict(learnt)
    small = write_onnx(compressed.module.eval(), imported, policy=policy)
    assert len(small) < 0.6 * len(file)
    parity = check_parity(compressed.module, small, inputs)
    assert parity.agreement == 1.0
    entry, small_entry = (open_session(c).get_inputs()[0] for c in (file, small))
    assert (entry.name, entry.type) == (small_entry.name, small_entry.type)
