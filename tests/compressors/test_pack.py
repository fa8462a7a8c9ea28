"""Packed files: exact, small, and suspicious of strangers."""

import contextlib
import hashlib
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compressors import Compressor, write_onnx
from compressors.coding import decode, encode, entropy_bytes
from compressors.pack import HEADER_FILTERS, MAGIC, pack, unpack
from paretrim.errors import InvalidInput, InvalidModel
from paretrim.problem import Bits, Policy
from tests.compressors.trained import Trained, trained


@pytest.fixture(scope="module")
def net() -> Trained:
    return trained()


def exported(net: Trained, weight: int = 32, activation: int = 32) -> bytes:
    policy = Policy(bits={layer.name: Bits(weight, activation) for layer in net.network.layers})
    module = Compressor(net.imported, net.network, net.statistics).compress(policy).module
    return write_onnx(module, net.imported, policy=policy)


def roundtrip(array: np.ndarray) -> str:
    coded = encode(array)
    back = decode(coded.plan, coded.payload, array.dtype, array.size)
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()
    return str(coded.plan["way"])


@pytest.mark.parametrize(("weight", "activation"), [(32, 32), (8, 8), (4, 8), (2, 2), (3, 32)])
def test_a_packed_network_comes_back_bit_by_bit(net: Trained, weight: int, activation: int) -> None:
    content = exported(net, weight, activation)
    assert unpack(pack(content).content) == content


def test_fewer_bits_take_fewer_bytes(net: Trained) -> None:
    sizes = [len(pack(exported(net, weight, 8)).content) for weight in (8, 6, 4, 3, 2)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.6 * sizes[0]


def test_every_byte_is_accounted_for(net: Trained) -> None:
    content = exported(net, 4, 8)
    packed = pack(content)
    assert sum(tensor.packed_bytes for tensor in packed.tensors) + packed.overhead_bytes == len(packed.content)
    assert {layer.name for layer in net.network.layers} <= set(packed.by_layer())


def test_weights_of_four_bits_take_no_more_than_four_bits_each(net: Trained) -> None:
    packed = pack(exported(net, 4, 8))
    for tensor in packed.tensors:
        if tensor.name.endswith(".weight") and tensor.elements > 1000:
            assert tensor.packed_bytes <= tensor.elements // 2


def test_scales_of_biases_take_nothing(net: Trained) -> None:
    coding = {tensor.name: tensor.coding for tensor in pack(exported(net, 8, 8)).tensors}
    assert coding["block1.conv1.bias.scale"] == "scaled"


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["int8", "uint8", "int32", "int64", "float32"]),
    st.integers(0, 700),
    st.floats(0, 1),
    st.integers(1, 300),
)
def test_any_array_comes_back(seed: int, dtype: str, size: int, zeros: float, distinct: int) -> None:
    generator = np.random.default_rng(seed)
    alphabet = generator.normal(scale=40.0, size=distinct).astype(dtype)
    array = generator.choice(alphabet, size)
    array[generator.random(size) < zeros] = 0
    roundtrip(array.reshape(-1, 7) if size % 7 == 0 and size else array)


def test_numbers_that_are_no_ordinary_ones_come_back() -> None:
    roundtrip(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40] * 40, np.float32))
    roundtrip(np.array([], np.float32))
    roundtrip(np.array([-3e-45, 2.0, -0.5, -0.0, -2.0] * 40, np.float32))
    roundtrip((np.arange(-40, 40) * 2.0**-149).astype(np.float32))
    roundtrip((np.arange(-40, 40) * 2.0**121).astype(np.float32))
    roundtrip(np.array([2**62, -(2**62)], np.int64))


def test_each_array_gets_the_way_that_suits_it() -> None:
    generator = np.random.default_rng(0)
    assert roundtrip(generator.normal(size=500).astype(np.float32)) == "raw"
    assert roundtrip(np.zeros(500, np.int8)) == "constant"
    assert (
        roundtrip(
            (generator.normal(size=500) * 10.0 ** generator.integers(-2, 4, 500)).astype(np.float16).astype(np.float32)
        )
        == "half"
    )
    assert roundtrip(generator.integers(-8, 8, 64).astype(np.int8)) == "bits"
    sizes = generator.uniform(0.01, 0.1, 64).astype(np.float32)
    assert roundtrip(((sizes.view(np.uint32) >> 20) << 20).view(np.float32)) == "short"
    assert roundtrip((generator.integers(-250, 250, 64) / 1024).astype(np.float32)) == "fixed"
    assert roundtrip(np.round(generator.normal(size=5000)).astype(np.int8)) == "bell"
    assert roundtrip(generator.geometric(0.4, 5000).astype(np.int8)) == "entropy"
    pieces = generator.normal(size=(16, 4)).astype(np.float32)
    assert roundtrip(pieces[generator.integers(0, 16, (30, 8))].reshape(30, 32)) == "vectors"
    assert roundtrip(generator.choice([0.1, 0.7, -2.5], 500).astype(np.float32)) == "codebook"
    scattered = np.zeros(20_000, np.float32)
    scattered[generator.choice(20_000, 40, replace=False)] = generator.normal(size=40)
    assert roundtrip(scattered) == "gaps"
    half = generator.normal(size=2000).astype(np.float32)
    half[generator.random(2000) < 0.5] = 0
    assert roundtrip(half) == "bitmap"


def test_range_coding_comes_close_to_the_entropy() -> None:
    codes = np.round(np.random.default_rng(1).normal(size=50_000) * 1.5).astype(np.int8)
    assert len(encode(codes).payload) < 1.01 * entropy_bytes(codes) + 64


def test_what_is_not_a_packed_file_is_refused() -> None:
    for content in (b"", b"PTZ", b"onnx and other things", b"PTZ\x02" + bytes(60)):
        with pytest.raises(InvalidInput):
            unpack(content)


def test_what_is_not_an_onnx_file_is_refused() -> None:
    with pytest.raises(InvalidModel):
        pack(b"\xff\xff nonsense")


def test_a_file_cut_off_or_changed_anywhere_is_refused(net: Trained) -> None:
    content = pack(exported(net, 2, 8)).content
    for end in range(0, len(content), 97):
        with pytest.raises(InvalidInput):
            unpack(content[:end])
    for place in range(0, len(content), 131):
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        with pytest.raises(InvalidInput):
            unpack(bytes(damaged))


def inflatable(header: bytes) -> bytes:
    return lzma.compress(header, lzma.FORMAT_RAW, filters=HEADER_FILTERS)


def sealed(header: bytes, payload: bytes = b"") -> bytes:
    body = MAGIC + len(header).to_bytes(4, "little") + header + payload
    return body + hashlib.sha256(body).digest()


def test_a_header_that_inflates_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too large"):
        unpack(sealed(inflatable(b" " * 2**27)))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=100))
def test_a_hostile_file_with_a_right_checksum_is_refused(text: bytes, payload: bytes) -> None:
    plans = b'[[{"way":"bits"},0]]'
    whole = len(plans).to_bytes(4, "little") + plans + text
    for header in (text, inflatable(text), inflatable(whole), inflatable(len(text).to_bytes(4, "little") + text)):
        with pytest.raises(InvalidInput):
            unpack(sealed(header, payload + b"x"))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.data())
def test_damaged_plans_raise_nothing_but_invalid_input(seed: int, data: st.DataObject) -> None:
    generator = np.random.default_rng(seed)
    array = np.round(generator.normal(size=300) * 2).astype(np.int8)
    array[generator.random(300) < 0.6] = 0
    coded = encode(array)
    plan = dict(coded.plan)
    key = data.draw(st.sampled_from(sorted(plan)))
    plan[key] = data.draw(st.one_of(st.none(), st.integers(-5, 10**7), st.text(max_size=4)))
    with contextlib.suppress(InvalidInput):
        decode(plan, coded.payload, array.dtype, array.size)
