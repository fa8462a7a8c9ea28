"""Foreign tables: small ones made here, and the published ones where they lie beside the checkout."""

from __future__ import annotations

import io
import json
import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw_models.devices import load_device
from hw_models.importers import FORMATS, import_table
from hw_models.importers.blocks import block_latency_ms, block_unit
from hw_models.importers.nested import named_unit, placed_unit
from hw_models.importers.operations import read_tinynas
from hw_models.importers.simulated import haq_unit, read_apq
from hw_models.table import TableDevice
from paretrim.errors import InvalidInput, InvalidTable, NotMeasured
from paretrim.problem import Bits

LUTS = Path(os.environ.get("PARETRIM_SHARED", "../shared")) / "luts"
published = pytest.mark.skipif(not LUTS.is_dir(), reason="the published tables are not beside this checkout")

BLOCK = "expanded_conv-input:56x56x24-output:28x28x40-expand:3-kernel:5-stride:2-idskip:0"
YAML = f"Conv-input:224x224x3-output:112x112x32:\n  count: 982\n  mean: 4.0\n  var: 0.25\n{BLOCK}:\n  mean: 6.25\n"


def loaded(content: bytes, form: str, **options: str) -> TableDevice:
    device = load_device(import_table(content, form, name="foreign", options=options))
    assert isinstance(device, TableDevice)
    return device


def npy(array: np.ndarray[Any, Any], *, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


def test_blocks_are_summed_up_and_missing_ones_named() -> None:
    device = loaded(YAML.encode(), "proxylessnas")
    first = "Conv-input:224x224x3-output:112x112x32"
    assert block_latency_ms(device, [first, BLOCK, BLOCK]) == pytest.approx(16.5)
    assert device.rows[block_unit(first)].source == "imported"
    with pytest.raises(NotMeasured, match=r"1 blocks: .*kernel:7"):
        block_latency_ms(device, [first, BLOCK.replace("kernel:5", "kernel:7")])


def test_fractions_of_an_expansion_make_another_block() -> None:
    assert block_unit(BLOCK.replace("expand:3", "expand:3.5")) != block_unit(BLOCK)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (YAML.replace("6.25", "-6.25"), "1 of 2 entries cannot be true"),
        (YAML.replace("6.25", "0"), "cannot be true"),
        (YAML.replace("mean: 6.25", "mean: nan"), "line 6"),
        (YAML.replace("mean: 6.25", "mean: !!python/object/apply:os.system [ls]"), "line 6"),
        (YAML.replace("mean: 6.25", "count: 3"), "has no mean"),
        (YAML + YAML, "there twice"),
        ("a: &x [1]\nb: *x\n", "line 1"),
        ("", "no entry"),
        ("\0", "line 1"),
    ],
)
def test_what_is_not_such_a_table_is_refused_and_the_place_named(text: str, why: str) -> None:
    with pytest.raises(InvalidTable, match=why):
        import_table(text.encode(), "ofa", name="foreign")


def test_haq_bits_are_looked_up_where_they_stand() -> None:
    cycles = np.arange(1, 129, dtype=np.int64).reshape(2, 8, 8) * 1000
    device = loaded(npy(cycles), "haq", clock_mhz="100")
    assert device.rows[haq_unit(1, Bits(8, 4))].latency_us == cycles[1, 7, 3] / 100
    assert device.rows[haq_unit(0, Bits(1, 8))].latency_us == cycles[0, 0, 7] / 100
    with pytest.raises(InvalidTable):
        haq_unit(0, Bits(8, 4)).from_json({"kind": "haq.layer", "in_channels": 1, "out_channels": 1, "weight_bits": -1})


@pytest.mark.parametrize(
    "content",
    [
        npy(np.zeros((2, 8, 8))),
        npy(np.full((2, 8, 8), -3.0)),
        npy(np.full((2, 8, 8), np.nan)),
        npy(np.ones((2, 8, 9))),
        npy(np.array([{"a": 1}], dtype=object), pickled=True),
        npy(np.ones((2, 8, 8)))[:100],
        b"not an array",
    ],
)
def test_a_haq_table_that_lies_or_carries_objects_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidTable):
        import_table(content, "haq", name="foreign")


APQ = {
    "head": {"latency": 1.0},
    "(96, 456, 14, 1, 1, 0, 1)-W4A4": {"energy": 0.1, "latency": 0.06},
    "(96, 456, 14, 1, 1, 0, 1)-W8A8": {"energy": 0.2, "latency": 0.11},
    "(64, 64, 14, 3, 2, 1, 64)-W8A8": {"energy": 0.2, "latency": 0.05},
}


def test_apq_layers_have_time_and_energy_by_bits() -> None:
    device = loaded(json.dumps(APQ).encode(), "apq")
    assert set(device.execution.kernels) == {Bits(8, 8), Bits(4, 4)}
    (deep,) = (unit for unit in device.rows if unit.is_depthwise)
    assert (deep.in_channels, deep.out_hw, deep.stride) == (64, (7, 7), (2, 2))
    assert device.unit_cost(deep).energy_mj == pytest.approx(0.2)
    assert any("head" in note for note in device.facts["method"]["notes"])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**APQ, "(1, 1, 14, 1, 1, 0, 1)-W8A8": {"latency": -1.0}}),
        '{"(1, 1, 14, 1, 1, 0, 1)-W8A8": {"latency": NaN}}',
        '{"(1, 1, 14, 1, 1, 0, 1)-W8A8": {"latency": 1}, "(1, 1, 14, 1, 1, 0, 1)-W8A8": {"latency": 2}}',
        "__import__('os').system('true')",
        "[" * 100_000,
        "[]",
    ],
)
def test_an_apq_table_is_parsed_and_never_executed(text: str) -> None:
    with pytest.raises(InvalidTable):
        import_table(text.encode(), "apq", name="foreign")


TINYNAS = (
    "{Regular,1,16,32,32,24,3,2,0} 0.031\n{Regular,1,16,32,32,24,3,2,1} 0.035\n{Regular,128,16,32,32,24,3,2,0} 1.5\n"
    "{Depthwise,1,64,14,14,64,3,1,0} 0.01\n{Regular,1,16,64,64,24,3,2,0} -1\n"
)


def test_tinynas_leaves_out_what_failed_and_other_batches_and_says_so() -> None:
    device = loaded(TINYNAS.encode(), "tinynas", precision="int8")
    assert len(device.rows) == 3
    assert {unit.fused for unit in device.rows if not unit.is_depthwise} == {(), ("add",)}
    notes = " ".join(device.facts["method"]["notes"])
    assert "1 entries say -1" in notes
    assert "1 entries are of another batch" in notes
    assert len(loaded(TINYNAS.encode(), "tinynas", batch="128").rows) == 1


def test_paddleslim_rows_are_convolutions_by_shape() -> None:
    text = (
        "op\tms\nconv 1 1 1 16 32 32 24 1 3 1 2 1\t0.25\nconv 1 0 1 16 32 32 16 16 (3, 3) (1, 1) (1, 1) (1, 1)\t0.1\n"
    )
    device = loaded(text.encode(), "paddleslim")
    shapes = {(unit.out_channels, unit.groups, unit.out_hw) for unit in device.rows}
    assert shapes == {(24, 1, (16, 16)), (16, 16, (32, 32))}


def test_fbnet_rows_keep_their_percentiles() -> None:
    text = (
        "op_type,op_args,input_shapes,p10,p50,p90\n"
        "Int8ConvRelu,out_channels=24;kernel=3;stride=2;pad=1,1x16x32x32,90,100,140\n"
        "AveragePool,kernel=7,1x16x7x7,1,2,3\n"
    )
    device = loaded(text.encode(), "fbnet")
    ((unit, row),) = device.rows.items()
    assert (unit.out_hw, row.latency_us, row.percentiles_us) == ((16, 16), 100, {"p10": 90, "p50": 100, "p90": 140})
    assert any("AveragePool" in note for note in device.facts["method"]["notes"])
    with pytest.raises(InvalidTable, match="no column p50"):
        import_table(text.replace("p50", "p5").encode(), "fbnet", name="foreign")


NETADAPT = [
    {"kernel_size": 3, "stride": 1, "padding": 1, "input_feature_map_size": [1, 8, 16, 16], "latency": [[8, 8, 1e-4]]},
    {"input_feature_map_size": [1, 64], "latency": [[64, 10, 2e-5]]},
]


def test_netadapt_times_are_seconds_unless_told_otherwise() -> None:
    for unit, scale in (("s", 1e6), ("ms", 1e3)):
        device = loaded(json.dumps(NETADAPT).encode(), "netadapt", unit=unit)
        assert sorted(row.latency_us for row in device.rows.values()) == pytest.approx([2e-5 * scale, 1e-4 * scale])


def test_a_pickle_is_not_read_and_the_way_round_is_told() -> None:
    import pickle

    for protocol in range(2, 6):
        with pytest.raises(InvalidTable, match=r"pickle.*JSON"):
            import_table(pickle.dumps([{(1, 2): 3.0}], protocol=protocol), "netadapt", name="foreign")


def test_negative_times_of_a_straight_line_are_refused() -> None:
    table = {"base": 2.0, "MBInvertedResBlock_112_16_0_24_k3_s2_relu": {"1": -0.5, "2": 0.1}}
    with pytest.raises(InvalidTable, match="straight line"):
        import_table(json.dumps(table).encode(), "tf-nas", name="foreign")


def test_unknown_formats_and_options_are_refused_with_the_choice() -> None:
    with pytest.raises(InvalidInput, match="tinynas"):
        import_table(b"", "excel", name="foreign")
    with pytest.raises(InvalidInput, match="batch"):
        import_table(TINYNAS.encode(), "tinynas", name="foreign", options={"batch": "none"})


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"{}", b"[]", b"\0" * 50, b"null", b'{"a": 1}'])
def test_no_reader_breaks_on_what_it_does_not_expect(form: str, content: bytes) -> None:
    with pytest.raises(InvalidTable):
        import_table(content, form, name="foreign")


@pytest.mark.parametrize(
    ("form", "content", "why"),
    [
        ("single-path-nas", '{"0": {"1": -2.0}}', "1 of 1 entries cannot be true"),
        ("single-path-nas", '{"0": {"one": 2.0}}', "'one' is not the number"),
        ("single-path-nas", '{"0": [2.0]}', "block '0' must be a JSON object"),
        ("nn-meter", '{"ResNetBlock_7_128": 0}', "1 of 1 entries cannot be true"),
        ("nn-meter", '{"ResNetBlock_7_128": "fast"}', "'fast' is not a number"),
        ("nn-meter", '{"ResNetBlock_7_128": NaN}', "NaN is not a number"),
        ("nn-meter", '{"speed": 1}', "not NAME_NUMBER"),
        ("nn-meter", '{"A_1_2": 1, "A_1_2": 1}', "there twice"),
        ("densenas", "[[0.5, [1.0, null]]]", "0/1/1: 'None' is not a number"),
        ("densenas", "[" * 14 + "1" + "]" * 14, "nested too deeply"),
    ],
)
def test_blocks_under_short_names_are_checked_as_well(form: str, content: str, why: str) -> None:
    with pytest.raises(InvalidTable, match=why):
        import_table(content.encode(), form, name="foreign")


def test_blocks_under_short_names_stand_where_their_names_say() -> None:
    device = loaded(b'{"ResNetBlock_7_8_16_3_0.5_1_relu": 0.25, "ResNetBlock_7_8_16_3_50_1_relu": 0.5}', "nn-meter")
    assert len(device.rows) == 2
    assert device.rows[named_unit("ResNetBlock_7_8_16_3_0.5_1_relu")].latency_us == 250
    nested = loaded(b"[2.0, [[1.0], [0.5, 0.25]]]", "densenas")
    assert nested.rows[placed_unit("densenas", (1, 1, 0), batch=32)].latency_us == 500


@published
def test_proxylessnas_lacks_three_blocks_of_its_own_network() -> None:
    device = loaded((LUTS / "proxylessnas" / "mobile_trim.yaml").read_bytes(), "proxylessnas")
    keys = _proxyless_mobile()
    with pytest.raises(NotMeasured, match="3 blocks") as caught:
        block_latency_ms(device, keys)
    assert str(caught.value).count("56x56x32") == 4
    there = [key for key in keys if block_unit(key) in device.rows]
    assert block_latency_ms(device, there) == pytest.approx(63.7, abs=0.05)


def _proxyless_mobile() -> list[str]:
    """The published network (Cai et al., ICLR 2019, figure 4), as its table writes blocks."""
    blocks = [(32, 16, 112, 1, 3, 1), (16, 32, 112, 3, 5, 2), (32, 32, 56, 3, 3, 1)]
    blocks += [(32, 40, 56, 3, 7, 2), (40, 40, 28, 3, 3, 1), *[(40, 40, 28, 3, 5, 1)] * 2]
    blocks += [(40, 80, 28, 6, 7, 2), *[(80, 80, 14, 3, 5, 1)] * 3, (80, 96, 14, 6, 5, 1), *[(96, 96, 14, 3, 5, 1)] * 3]
    blocks += [(96, 192, 14, 6, 7, 2), (192, 192, 7, 6, 7, 1), *[(192, 192, 7, 3, 7, 1)] * 2, (192, 320, 7, 6, 7, 1)]
    keys = [
        f"expanded_conv-input:{side}x{side}x{cin}-output:{side // stride}x{side // stride}x{cout}"
        f"-expand:{expand}-kernel:{kernel}-stride:{stride}-idskip:{int(cin == cout and stride == 1)}"
        for cin, cout, side, expand, kernel, stride in blocks
    ]
    ends = ["Conv_1-input:7x7x320-output:7x7x1280", "Logits-input:7x7x1280-output:1000"]
    return ["Conv-input:224x224x3-output:112x112x32", *keys, *ends]


@published
def test_once_for_all_tables_are_whole() -> None:
    for side in (160, 176, 192, 208, 224):
        device = loaded((LUTS / "ofa_note10" / f"{side}_lookup_table.yaml").read_bytes(), "ofa")
        times = [row.latency_us for row in device.rows.values()]
        assert len(times) == 96
        assert 8 <= min(times) < max(times) <= 9200


#: Once-for-All's MobileNetV3 of width 1.2 (Cai et al., ICLR 2020): channels, strides, squeeze-and-excite, hard swish
_STAGES = ((32, 2, 0, 0), (48, 2, 1, 0), (96, 2, 0, 1), (136, 1, 1, 1), (192, 2, 1, 1))


def _once_for_all(side: int, kernels: Sequence[int], expands: Sequence[int], depths: Sequence[int]) -> list[str]:
    """A network of the family as its tables write blocks; kernels, expands: of 20 blocks, depths: of 5 stages."""
    half = (side + 1) // 2
    keys = [f"Conv-input:{side}x{side}x3-output:{half}x{half}x24"]
    keys.append(_ofa_block(half, 24, half, 24, (24, 3, 1, 1, 0, 0)))
    channels, extent = 24, half
    for stage, (wide, stride, squeeze, swish) in enumerate(_STAGES):
        for block in range(depths[stage]):
            place, step = 4 * stage + block, stride if block == 0 else 1
            after = (extent - 1) // step + 1
            facts = (channels * expands[place], kernels[place], step, int(block > 0), squeeze, swish)
            keys.append(_ofa_block(extent, channels, after, wide, facts))
            channels, extent = wide, after
    last = f"{extent}x{extent}"
    ends = [f"Conv_1-input:{last}x192-output:{last}x1152", f"AvgPool2D-input:{last}x1152-output:1x1x1152"]
    return [*keys, *ends, "Conv_2-input:1x1x1152-output:1x1x1536", "Logits-input:1x1x1536-output:1000"]


def _ofa_block(before: int, channels: int, after: int, wide: int, facts: tuple[int, ...]) -> str:
    names = ("expand", "kernel", "stride", "idskip", "se", "hs")
    rest = "".join(f"-{name}:{value}" for name, value in zip(names, facts, strict=True))
    return f"expanded_conv-input:{before}x{before}x{channels}-output:{after}x{after}x{wide}{rest}"


@published
@pytest.mark.parametrize(
    ("side", "least", "most"),
    [(160, 9.89, 47.77), (176, 11.72, 58.04), (192, 13.33, 67.56), (208, 15.83, 81.19), (224, 17.77, 92.40)],
)
def test_every_once_for_all_network_can_be_summed_up(side: int, least: float, most: float) -> None:
    """The released network of 30 ms is one of them; which one is in no file at hand. What the narrowest and the widest
    network sum up to encloses it at every resolution, and each of the 96 rows belongs to some network."""
    device = loaded((LUTS / "ofa_note10" / f"{side}_lookup_table.yaml").read_bytes(), "ofa")
    assert block_latency_ms(device, _once_for_all(side, [3] * 20, [3] * 20, [2] * 5)) == pytest.approx(least, abs=0.005)
    assert block_latency_ms(device, _once_for_all(side, [7] * 20, [6] * 20, [4] * 5)) == pytest.approx(most, abs=0.005)
    assert least < 29.97 < most
    uniform = [
        _once_for_all(side, [kernel] * 20, [expand] * 20, [4] * 5) for kernel in (3, 5, 7) for expand in (3, 4, 6)
    ]
    assert all(block_latency_ms(device, keys) > least for keys in uniform)
    assert {block_unit(key) for keys in uniform for key in keys} == set(device.rows)


@published
def test_single_path_nas_has_four_operations_in_each_of_22_blocks() -> None:
    device = loaded((LUTS / "singlepathnas" / "pixel1_runtime_model.json").read_bytes(), "single-path-nas")
    assert len(device.rows) == 22 * 4
    assert device.rows[placed_unit("single_path", (20, 1))].latency_us == pytest.approx(4921.7)


@published
@pytest.mark.parametrize(("name", "rows"), [("mbv2_xp32", 647), ("resv2_32", 315), ("resv2_32_reg10", 315)])
def test_densenas_has_as_many_times_as_were_published(name: str, rows: int) -> None:
    device = loaded(
        (LUTS / "densenas" / f"lat_list_densenas_{name}".replace("densenas_resv2", "resv2")).read_bytes(), "densenas"
    )
    assert len(device.rows) == rows
    assert device.batch == 32


@published
def test_nn_meters_blocks_are_read_as_published() -> None:
    published_ms = json.loads((LUTS / "nnmeter_ort_int8_block" / "onnx_lut.json").read_text())
    some = {key: published_ms[key] for key in [*published_ms][::300]}
    device = loaded(json.dumps(some).encode(), "nn-meter")
    assert len(device.rows) == len(some)
    key = next(key for key in some if "_0.5_" in key)
    assert device.rows[named_unit(key)].latency_us == pytest.approx(1e3 * some[key])
    phones = json.loads((LUTS / "nnmeter_transformer_lut" / "pixel1_lut_ln_v3.json").read_text())
    assert len({named_unit(key) for key in phones}) == len(phones) == 12_116


@published
def test_haq_ratios_are_the_published_ones() -> None:
    path = LUTS / "haq_bitfusion" / "qmobilenetv2_imagenet100_batch16_latency_table.npy"
    device = loaded(path.read_bytes(), "haq")

    def total(bits: Bits) -> float:
        return sum(device.rows[haq_unit(layer, bits)].latency_us for layer in range(53))

    whole = total(Bits(8, 8))
    for bits, ratio in ((Bits(8, 4), 0.506), (Bits(4, 8), 0.788), (Bits(4, 4), 0.397), (Bits(6, 6), 0.673)):
        assert total(bits) / whole == pytest.approx(ratio, abs=5e-4)


@published
def test_apq_has_steps_at_powers_of_two() -> None:
    table = read_apq((LUTS / "apq_bitfusion" / "BitFusion_new.b1.dict").read_bytes(), {})
    table.check()
    times: dict[tuple[object, ...], dict[Bits, float]] = {}
    for unit, row in table.rows.items():
        shape = (unit.in_channels, unit.out_channels, unit.in_hw, unit.kernel, unit.stride, unit.groups)
        times.setdefault(shape, {})[Bits(unit.weight_bits, unit.activation_bits)] = row.latency_us
    point = [by_bits for shape, by_bits in times.items() if shape[-1] == 1]
    six, four = (
        float(np.median([t[bits] / t[Bits(8, 8)] for t in point if bits in t])) for bits in (Bits(6, 6), Bits(4, 4))
    )
    assert (six, four) == (pytest.approx(0.915, abs=0.002), pytest.approx(0.565, abs=0.002))


@published
def test_tf_nas_is_refused_for_its_negative_times() -> None:
    import pickle

    class Plain(pickle.Unpickler):
        """Containers and numbers only."""

        def find_class(self, module: str, name: str) -> Any:
            if (module, name) == ("collections", "OrderedDict"):
                return OrderedDict
            raise pickle.UnpicklingError(f"{module}.{name}")

    with (LUTS / "tfnas" / "latency_cpu.pkl").open("rb") as file:
        content = json.dumps(Plain(file).load()).encode()
    with pytest.raises(InvalidTable, match="84 of 36480 entries"):
        import_table(content, "tf-nas", name="foreign")


@published
def test_the_published_netadapt_pickle_is_not_read() -> None:
    with pytest.raises(InvalidTable, match="pickle"):
        import_table((LUTS / "netadapt" / "helloworld_lut.pkl").read_bytes(), "netadapt", name="foreign")


@published
def test_tinynas_lines_are_read_as_published() -> None:
    lines = (LUTS / "alibaba_v100_trt" / "conv_data.out.int8").read_text().splitlines()[:40_000:40]
    table = read_tinynas("\n".join(lines).encode(), {"precision": "int8", "batch": "128"})
    table.check()
    assert len(table.rows) > 100
    assert any(note.startswith("0 entries repeat") for note in table.notes)
