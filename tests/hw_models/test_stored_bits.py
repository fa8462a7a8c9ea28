"""Which bits a job's options make legal, and what is refused by name."""

from collections.abc import Mapping
from typing import Any

import pytest

from hw_models.devices import load_device, shipped
from hw_models.legal import check_bits
from hw_models.stored_bits import StoredBits, check_compression, needs_headroom
from paretrim.compression import Compression
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import Bits, Policy
from tests.hw_models import networks


def device(kernels: list[list[int]]) -> Any:
    """A shipped device with other kernels."""
    return load_device({**shipped()["bit-serial"], "kernels": kernels})


HOST = [[32, 32], [8, 8]]


def test_storage_widths_run_beside_the_activations_there_are() -> None:
    network = networks.resnet()
    layer = network.layers[0]
    legal = StoredBits(device(HOST), Compression(storage_bits=(2, 4))).legal_bits(layer)
    assert set(legal) == {Bits(32, 32), Bits(8, 8), Bits(2, 8), Bits(4, 8)}
    assert StoredBits(device(HOST), Compression()).legal_bits(layer) == device(HOST).legal_bits(layer)


def test_weights_that_are_no_integers_run_in_floating_point() -> None:
    layer = networks.resnet().layers[0]
    legal = StoredBits(device(HOST), Compression(weight_quantizer="kmeans", storage_bits=(3,))).legal_bits(layer)
    assert set(legal) == {Bits(32, 32), Bits(3, 32)}
    with pytest.raises(InvalidInput, match=layer.name):
        StoredBits(device([[8, 8]]), Compression(weight_quantizer="kmeans")).legal_bits(layer)


def test_a_quantizer_of_one_width_brings_it_along() -> None:
    layer = networks.resnet().layers[0]
    assert Bits(1, 8) in StoredBits(device(HOST), Compression(weight_quantizer="binary")).legal_bits(layer)
    assert Bits(8, 8) not in StoredBits(device(HOST), Compression(weight_quantizer="ternary")).legal_bits(layer)


def test_layers_that_are_not_there_or_do_not_fit_are_named() -> None:
    network = networks.resnet()
    with pytest.raises(InvalidInput, match="nowhere"):
        check_compression(network, device(HOST), Compression(weight_quantizers={"nowhere": "binary"}))
    convolution = next(layer.name for layer in network.layers if layer.kind == "conv2d")
    with pytest.raises(InvalidInput, match=convolution):
        check_compression(network, device(HOST), Compression(weight_quantizers={convolution: "product"}))


def test_bits_outside_the_legal_set_are_refused_with_the_layers_name() -> None:
    network = networks.resnet()
    name = network.layers[0].name
    check_bits(network, device(HOST), Policy(bits={name: Bits(8, 8)}))
    with pytest.raises(InvalidPolicy, match=name):
        check_bits(network, device(HOST), Policy(bits={name: Bits(5, 8)}))


@pytest.mark.parametrize(
    ("sets", "needed"),
    [(["avx2", "fma"], True), (["avx2", "avx512f"], True), (["avx2", "avx512_vnni"], False), (["neon"], False)],
)
def test_headroom_is_needed_on_x86_without_vnni(sets: list[str], needed: bool) -> None:
    document: Mapping[str, Any] = {"hardware": {"instruction_sets": sets}, "runtime": {"name": "onnxruntime"}}
    assert needs_headroom(document) is needed
    assert not needs_headroom(shipped()["mcu-m4"])
