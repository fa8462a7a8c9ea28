"""How a job carries out its policies: the options of compression that a user may set, checked without any network.

Standard library only; `compressors` does what these words say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.problem import Bits

WeightQuantizer = Literal[
    "uniform", "per_tensor", "asymmetric", "binary", "ternary", "ttq", "power_of_two", "kmeans", "product"
]
RangeMethod = Literal["min_max", "percentile", "mse", "kl"]
StepMethod = Literal["max", "mse"]
WeightRule = Literal["nearest", "gptq", "stepwise"]

#: bits of weights that each quantizer can make
WIDTHS: Mapping[WeightQuantizer, frozenset[int]] = {
    "uniform": frozenset(range(1, 9)),
    "per_tensor": frozenset(range(2, 9)),
    "asymmetric": frozenset(range(2, 9)),
    "binary": frozenset({1}),
    "ternary": frozenset({2}),
    "ttq": frozenset({2}),
    "power_of_two": frozenset(range(2, 6)),
    "kmeans": frozenset(range(1, 9)),
    "product": frozenset({1, 2, 4}),
}
#: quantizers whose weights are integers times a step, as 8-bit kernels take them; others run in floating point
INTEGER: frozenset[WeightQuantizer] = frozenset({"uniform", "per_tensor", "binary", "ternary"})

_CONVOLUTIONS = frozenset({"conv1d", "conv2d"})
#: kinds of layers that each quantizer fits; the uniform one fits all
_FITS: Mapping[WeightQuantizer, frozenset[str]] = {
    **dict.fromkeys(WIDTHS, _CONVOLUTIONS | {"linear"}),
    "product": frozenset({"linear"}),
}


@dataclass(frozen=True, slots=True)
class Compression:
    """Options of a job's compression. Raises InvalidInput naming the option at fault."""

    weight_quantizer: WeightQuantizer = "uniform"  #: of every layer that it fits; the others stay uniform
    weight_quantizers: Mapping[str, WeightQuantizer] = field(default_factory=dict)  #: by layer; must fit
    storage_bits: tuple[int, ...] = ()  #: widths of weights that are searched for size, kernels or not
    activation_range: RangeMethod = "mse"
    weight_range: StepMethod = "max"
    weight_rounding: WeightRule = "gptq"
    equalize: bool = False  #: scale channels so that neighbouring layers use their ranges evenly, before anything else
    compact: bool = False  #: steps and biases of few digits: smaller packed files where layers are small
    four_bit_linear: bool = False  #: also deliver linear layers of 4 bits or fewer for ONNX Runtime's 4-bit kernels

    def __post_init__(self) -> None:
        choices: dict[str, Any] = {
            "weight_quantizer": WeightQuantizer,
            "activation_range": RangeMethod,
            "weight_range": StepMethod,
            "weight_rounding": WeightRule,
        }
        for name, literal in choices.items():
            _check_choice(getattr(self, name), get_args(literal), f"compression.{name}")
        if not isinstance(self.weight_quantizers, Mapping):
            raise InvalidInput(
                "weight_quantizers must map names of layers to quantizers", field="compression.weight_quantizers"
            )
        for layer, kind in self.weight_quantizers.items():
            _check_choice(kind, get_args(WeightQuantizer), f"compression.weight_quantizers.{layer}")
        for name in ("equalize", "compact", "four_bit_linear"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name} must be true or false", field=f"compression.{name}")
        if not isinstance(self.storage_bits, list | tuple) or any(
            not isinstance(bits, int) or isinstance(bits, bool) or not 1 <= bits <= 8 for bits in self.storage_bits
        ):
            raise InvalidInput(
                "storage_bits must be a list of whole numbers from 1 to 8", field="compression.storage_bits"
            )
        object.__setattr__(self, "storage_bits", tuple(sorted(set(self.storage_bits))))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Compression:
        """From plain values. Raises InvalidInput naming what is not an option."""
        known = [entry.name for entry in fields(cls)]
        for name in value:
            if name not in known:
                raise InvalidInput(
                    f"{name!r} is not an option; there are {', '.join(known)}", field=f"compression.{name}"
                )
        try:
            return cls(**value)
        except TypeError as error:
            raise InvalidInput(str(error), field="compression") from error

    def to_json(self) -> dict[str, Any]:
        """Plain values, those that differ from the defaults."""
        default = asdict(Compression())
        held = asdict(self) | {"weight_quantizers": dict(self.weight_quantizers)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in held.items()
            if value != default[name]
        }

    def quantizer(self, layer: str, kind: str) -> WeightQuantizer:
        """How the weights of a layer of this kind are quantized."""
        named = self.weight_quantizers.get(layer)
        if named is not None:
            return named
        return self.weight_quantizer if fits(self.weight_quantizer, kind) else "uniform"


def fits(quantizer: WeightQuantizer, kind: str) -> bool:
    """Whether a quantizer can be used for a kind of layer."""
    return quantizer == "uniform" or kind in _FITS[quantizer]


def check_quantizer(layer: str, kind: str, quantizer: WeightQuantizer, bits: Bits) -> None:
    """Raise InvalidPolicy naming the layer if a quantizer cannot make its weights. bits: 8 or fewer count."""
    if bits.weight > 8:
        return
    if not fits(quantizer, kind):
        fitting = ", ".join(sorted(_FITS[quantizer]))
        raise InvalidPolicy(
            f"layer {layer!r} is of kind {kind}; the quantizer {quantizer!r} is for {fitting}; choose another for it",
            field=f"weight_quantizers.{layer}",
        )
    if bits.weight not in WIDTHS[quantizer]:
        widths = ", ".join(map(str, sorted(WIDTHS[quantizer])))
        raise InvalidPolicy(
            f"layer {layer!r} cannot have {bits.weight}-bit weights by the quantizer {quantizer!r}; it makes {widths}",
            field=f"bits.{layer}",
        )


def _check_choice(value: Any, choices: tuple[str, ...], where: str) -> None:
    if value not in choices:
        raise InvalidInput(f"{value!r} is not one of {', '.join(choices)}", field=where)
