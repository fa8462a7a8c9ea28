"""Analytic devices against what is published: ranks, ratios, staircases, limits."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from hw_models.advice import advise
from hw_models.analytic.ethos_u import EthosU
from hw_models.counts import macs
from hw_models.device import Device, compose
from hw_models.devices import load_device, shipped
from hw_models.importers.simulated import haq_unit, read_apq, read_haq
from hw_models.limits import exceeded, limits, with_limits
from hw_models.lowering import lower
from hw_models.reference_networks import MLPERF_TINY
from hw_models.units import Unit
from paretrim.problem import Bits, Constraint
from tests.hw_models.networks import resnet

LUTS = Path(os.environ.get("PARETRIM_SHARED", "../shared")) / "luts"
published = pytest.mark.skipif(not LUTS.is_dir(), reason="the published tables are not beside this checkout")


def device(name: str) -> Device:
    return load_device(shipped()[name])


def conv(cin: int, cout: int, side: int, *, kernel: int = 3, groups: int = 1, w: int = 8, a: int = 8) -> Unit:
    shape = {"kernel": (kernel, kernel), "stride": (1, 1), "padding": (kernel // 2,) * 4, "dilation": (1, 1)}
    return Unit(
        "conv2d", cin, cout, (side, side), (side, side), groups=groups, weight_bits=w, activation_bits=a, output_bits=a,
        **shape,
    )  # fmt: skip


def milliseconds(name: str, unit: Unit) -> float:
    return device(name).unit_cost(unit).latency_ms


@pytest.mark.parametrize(("network", "millions"), [("ic", 12.506), ("vww", 7.492), ("kws", 2.665), ("ad", 0.264)])
def test_the_networks_of_mlperf_tiny_have_the_published_multiply_adds(network: str, millions: float) -> None:
    assert macs(MLPERF_TINY[network]()) / 1e6 == pytest.approx(millions, rel=0.005)


@pytest.mark.parametrize(
    ("unit", "cycles"),
    [
        (conv(3, 16, 32), 14_752),
        (conv(16, 16, 32), 25_715),
        (Unit("add", 16, 16, (32, 32), (32, 32), activation_bits=8, output_bits=8, inputs=2), 24_576),
        (conv(64, 64, 8), 34_896),
    ],
)
def test_an_npu_takes_the_cycles_that_its_compiler_estimates(unit: Unit, cycles: float) -> None:
    """Vela 5.2, Ethos-U55-128, ResNet-8 of MLPerf Tiny, by layer."""
    assert milliseconds("ethos-u55-128", unit) * 500e3 == pytest.approx(cycles, rel=0.15)


def test_an_npu_ranks_networks_as_its_compiler_does() -> None:
    """Vela 5.2, totals in milliseconds; the autoencoder waits for its weights from flash."""
    vela = {"ic": 0.403, "vww": 0.442, "kws": 0.180, "ad": 0.402}
    npu = device("ethos-u55-128")
    assert isinstance(npu, EthosU)
    found = {name: compose(npu, lower(MLPERF_TINY[name](), npu.execution)).latency_ms for name in vela}
    assert all(found[name] == pytest.approx(vela[name], rel=0.3) for name in vela)
    assert min(found, key=found.__getitem__) == "kws"
    assert max(found, key=found.__getitem__) == "vww"
    costs = [npu.unit_cost(item.unit) for item in lower(MLPERF_TINY["ad"](), npu.execution)]
    assert sum(cost.latency_ms for cost in costs if cost.bound == "storage") > 0.8 * found["ad"]


def test_bricks_fuse_at_powers_of_two_and_columns_make_a_staircase() -> None:
    def time(w: int, a: int, cout: int = 256) -> float:
        return milliseconds("bitfusion-16x32", conv(1024, cout, 7, kernel=1, w=w, a=a))

    assert time(6, 6) == pytest.approx(time(8, 8), rel=0.1)
    assert time(4, 4) < 0.6 * time(8, 8)
    assert time(3, 3) > 0.8 * time(4, 4)
    whole, one_more = (milliseconds("bitfusion-16x32", conv(512, c, 28)) for c in (64, 65))
    assert one_more / whole == pytest.approx(1.5, rel=0.02)


@published
def test_bricks_rank_layers_as_the_published_table_does() -> None:
    table = read_apq((LUTS / "apq_bitfusion" / "BitFusion_new.b1.dict").read_bytes(), {})
    units = list(table.rows)[::4]
    array = device("bitfusion-16x32")
    predicted = np.array([array.unit_cost(unit).latency_ms for unit in units])
    truth = np.array([table.rows[unit].latency_us for unit in units])
    assert spearmanr(predicted, truth).statistic > 0.98


@published
def test_a_bit_serial_engine_has_the_ratios_of_the_published_table() -> None:
    path = LUTS / "haq_bitfusion" / "qmobilenetv2_imagenet100_batch16_latency_table.npy"
    rows = read_haq(path.read_bytes(), {}).rows
    theirs = {
        bits: sum(rows[haq_unit(layer, bits)].latency_us for layer in range(53))
        for bits in (Bits(8, 8), Bits(4, 4), Bits(6, 6))
    }
    ours = {bits: milliseconds("bit-serial", conv(256, 256, 14, w=bits.weight, a=bits.activation)) for bits in theirs}
    for bits in (Bits(4, 4), Bits(6, 6)):  # layers that compute binds, in both
        assert ours[bits] / ours[Bits(8, 8)] == pytest.approx(bits.weight * bits.activation / 64, rel=0.1)
        assert ours[bits] / ours[Bits(8, 8)] < theirs[bits] / theirs[Bits(8, 8)]  # which has depthwise layers as well


@pytest.mark.parametrize(("bits", "least", "most"), [((8, 4), 0.4, 0.75), ((4, 8), 0.8, 1.0)])
def test_depthwise_layers_of_a_bit_serial_engine_wait_for_activations(
    bits: tuple[int, int], least: float, most: float
) -> None:
    def time(w: int, a: int) -> float:
        return milliseconds("bit-serial", conv(512, 512, 56, groups=512, w=w, a=a))

    cost = device("bit-serial").unit_cost(conv(512, 512, 56, groups=512))
    if cost.bound == "memory":
        assert least <= time(*bits) / time(8, 8) <= most
    else:
        assert time(*bits) <= time(8, 8)


@pytest.mark.parametrize("name", ["dpu-zcu102", "ncs2-vpu"])
def test_a_roofline_is_worst_just_above_the_width_of_its_array(name: str) -> None:
    width = int(shipped()[name]["parameters"]["out_width"])

    def per_mac(cout: int) -> float:
        unit = conv(256, cout, 32)
        return milliseconds(name, unit) / unit.macs

    assert per_mac(width + 1) > 1.2 * per_mac(2 * width)
    assert device(name).unit_cost(conv(4, 4, 4, kernel=1)).bound == "overhead"
    assert device(name).unit_cost(conv(256, 256, 32)).bound == "compute"


@published
@pytest.mark.parametrize(
    ("name", "board", "mhz"),
    [("mcu-m4", "NUCLEO-L4R5ZI", 120), ("mcu-m33", "NUCLEO-U575ZI-Q", 160), ("mcu-m7", "NUCLEO-H7A3ZI-Q", 280)],
)
def test_a_microcontroller_is_within_its_error_of_published_results(name: str, board: str, mhz: int) -> None:
    mcu = device(name)
    checked = 0
    for row in csv.DictReader((LUTS / "mlperf_tiny" / "v1.2_summary.csv").read_text().splitlines()):
        if row["BoardName"] != board or row["Organization"] != "STMicroelectronics":
            continue
        prediction = compose(mcu, lower(MLPERF_TINY[row["MlperfModel"]](), mcu.execution))
        assert prediction.low_ms <= 1e3 / float(row["Result"]) <= prediction.high_ms
        assert prediction.latency_ms == pytest.approx(1e3 / float(row["Result"]), rel=0.15)
        assert prediction.energy_mj == pytest.approx(float(row["Power"]) / 1e3, rel=0.2)
        checked += 1
    assert checked == 4
    assert shipped()[name]["parameters"]["clock_mhz"] == mhz


@published
def test_constants_of_one_chip_predict_another_from_a_single_result() -> None:
    """The Cortex-M4's constants, scaled by one published network, tell the others' order on M33 and M7."""
    results = {
        (row["BoardName"], row["MlperfModel"]): 1 / float(row["Result"])
        for row in csv.DictReader((LUTS / "mlperf_tiny" / "v1.2_summary.csv").read_text().splitlines())
        if row["Organization"] == "STMicroelectronics"
    }
    mcu = device("mcu-m4")
    shape = {name: compose(mcu, lower(MLPERF_TINY[name](), mcu.execution)).latency_ms for name in MLPERF_TINY}
    for board in ("NUCLEO-U575ZI-Q", "NUCLEO-H7A3ZI-Q"):
        scale = results[board, "ic"] / shape["ic"]
        for name in ("vww", "kws", "ad"):
            assert scale * shape[name] == pytest.approx(results[board, name], rel=0.27)


def test_memory_and_flash_of_a_device_become_constraints_of_a_job() -> None:
    document = shipped()["mcu-m4"]
    assert limits(document) == {"peak_memory_bytes": 655_360, "size_bytes": 2_097_152}
    tight = Constraint("size_bytes", "<=", 1000.0)
    found = with_limits((tight,), document)
    assert tight in found
    assert Constraint("peak_memory_bytes", "<=", 655_360.0) in found
    assert len(found) == 2
    assert with_limits((), shipped()["bit-serial"]) == ()


def test_a_network_beyond_the_memory_of_a_device_is_told_why() -> None:
    document = shipped()["mcu-m4"]
    assert exceeded({"peak_memory_bytes": 700_000, "size_bytes": 5}, document) == [
        "activations need 700,000 bytes at once, the device has 655,360 of memory"
    ]
    small = {**document, "parameters": {**document["parameters"], "sram_bytes": 20_000}}
    advice = advise(resnet(8), load_device(small))
    assert advice.binds == "peak memory"
    assert "20,000" in advice.infeasible[0]
    assert "peak_memory_bytes" in advice.objectives


def test_advice_says_where_it_goes_and_what_that_suggests() -> None:
    advice = advise(resnet(8), device("ethos-u55-128"))
    assert sum(advice.time_shares.values()) == pytest.approx(1)
    assert sum(layer["time_share"] for layer in advice.layers) == pytest.approx(1)
    assert advice.binds in ("compute", "storage")
    assert advice.objectives[0] == "accuracy"
    assert advice.actions
    assert not advice.infeasible
    assert {layer["kind"] for layer in advice.layers} >= {"conv2d", "add", "linear"}


def test_what_binds_follows_the_device() -> None:
    """The same network on hardware whose flash, or whose memory, is slow."""
    document = shipped()["ethos-u55-128"]

    def binds(**parameters: float) -> str:
        return advise(
            resnet(8), load_device({**document, "parameters": {**document["parameters"], **parameters}})
        ).binds

    assert binds(flash_bytes_per_cycle=0.01) == "storage"
    assert binds(sram_bytes_per_cycle=0.01) == "bandwidth"
    assert binds(flash_bytes_per_cycle=100.0, sram_bytes_per_cycle=100.0) == "compute"
    assert binds(flash_bytes=90_000.0) == "storage"
