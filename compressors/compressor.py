"""One policy in, one smaller network out: choose units, slice, refit, quantize. What can be reused is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, fx, nn

from compressors.criteria import CriterionName, Ranking
from compressors.fold import fold
from compressors.gram import convolution_groups
from compressors.graph import clone, replace_module
from compressors.imported import Imported
from compressors.kernels import saturates
from compressors.low_rank import Scheme, factored
from compressors.operators.passing import Take
from compressors.prune import channel_map, slice_module
from compressors.quantize import Quantizer, Remaining
from compressors.ranges import RangeMethod
from compressors.rebuild import Kept, Rebuilder
from compressors.reconstruction import RIDGE, covariance
from compressors.refit import refit_in_order
from compressors.sparsity import is_removed, keep_zeros, masked, thin_out, zero_share
from compressors.statistics import Statistics
from compressors.weight_steps import StepMethod
from paretrim.compression import Compression, WeightQuantizer, WeightRule
from paretrim.errors import InvalidInput, InvalidPolicy
from paretrim.network import Network
from paretrim.problem import FULL_PRECISION, Bits, Policy
from paretrim.sparsity import Sparsity

#: pruned networks remembered, so that a policy that changes bits only is not pruned again
REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class CompressorOptions:
    """How a policy is carried out."""

    criterion: CriterionName = "obs"  #: which units go, where a policy gives a ratio
    #: gram: refit layers from cached Gram matrices, in milliseconds; sequential: then one after the other on the
    #: calibration inputs, in seconds, for delivery; none: keep the weights
    reconstruction: Literal["gram", "sequential", "none"] = "gram"
    ridge: float = RIDGE  #: added to the variance of every column, as a share of the mean variance
    match_variance: bool = True  #: scale refitted outputs back to the variance they had
    activation_range: RangeMethod = "mse"  #: how ranges of quantized activations are chosen
    percentile: float = 99.99  #: of the values inside the range, for activation_range="percentile"
    weight_range: StepMethod = "max"  #: how the steps of quantized weights are chosen
    weight_rounding: WeightRule = "gptq"  #: whether errors of weights of fewer than 8 bits are made good by others
    weight_quantizer: WeightQuantizer = "uniform"  #: of the layers that it fits
    weight_quantizers: Mapping[str, WeightQuantizer] = field(default_factory=dict)  #: by layer
    #: whether 8-bit weights beside 8-bit activations keep to 7 bits; None: if this machine's kernels need it
    headroom: bool | None = None
    #: which weights of sparse layers go: obs, by what they do to the layer's output, the others making up for them;
    #: magnitude, the smallest, the others as they are
    sparsity_rule: Literal["obs", "magnitude"] = "obs"
    #: steps and biases of quantized layers keep only a few binary digits: they take a third of the bytes in the packed
    #: file, which counts where layers are small. Rounding by `stepwise`, which fits steps, becomes `gptq`
    compact: bool = False
    low_rank: Scheme = "tucker"  #: how k x k convolutions are factored where the policy gives a rank
    seed: int = 0  #: for criterion="random", and the rows of the sequential reconstruction

    def __post_init__(self) -> None:
        if self.reconstruction not in ("gram", "sequential", "none"):
            raise InvalidInput(
                f"reconstruction is gram, sequential or none, not {self.reconstruction!r}", field="reconstruction"
            )
        if not self.ridge >= 0.0:
            raise InvalidInput(f"ridge must not be negative, got {self.ridge}", field="ridge")


@dataclass(frozen=True, slots=True)
class LayerReport:
    """What became of one layer."""

    layer: str
    in_channels: int
    out_channels: int
    bits: Bits
    error_share: float  #: output variance lost with its inputs, as predicted from the Gram matrix; 0 if none was
    zero_share: float = 0.0  #: weights that are zero because the policy makes the layer sparse


@dataclass(frozen=True, eq=False)
class Compressed:
    """A network as a policy leaves it.

    module: ready to run in evaluation mode; layers at 8 bits or fewer compute with quantized values and have their
    batch norm folded in. It is the caller's own: nothing else holds its tensors.
    """

    module: fx.GraphModule
    policy: Policy
    kept: Mapping[str, tuple[int, ...]]  #: by group, the units left; every group is named
    report: tuple[LayerReport, ...]


@dataclass(eq=False)
class _Pruned:
    """A network that has lost units, and what is needed to quantize it."""

    key: str
    module: fx.GraphModule
    errors: Mapping[str, float]

    @cached_property
    def folded(self) -> fx.GraphModule:
        """With its batch norms worked into the layers."""
        return fold(self.module)


class Compressor:
    """Carries out policies on one network. The network is never changed."""

    def __init__(
        self,
        imported: Imported,
        network: Network,
        statistics: Statistics | None,
        options: CompressorOptions | None = None,
        *,
        calibration: Tensor | None = None,
    ) -> None:
        """statistics: None without calibration data; then nothing is refitted and activations are not quantized.

        calibration: inputs (N, *input_shape), for the sequential reconstruction only.
        """
        self.options = options or CompressorOptions()
        self._imported, self._network, self._statistics = imported, network, statistics
        self._channels = channel_map(imported)
        self._ranking = Ranking(imported.module, self._channels, statistics, self.options.criterion, self.options.seed)
        self._rebuilder: Rebuilder | None = None
        self._calibration = calibration
        if self.options.reconstruction == "sequential" and calibration is None:
            raise InvalidInput("the sequential reconstruction needs calibration inputs", field="calibration")
        if statistics is not None and self.options.reconstruction != "none":
            self._rebuilder = Rebuilder(
                imported.module, self._channels, statistics, self.options.ridge, self.options.match_variance
            )
        self._quantizer = Quantizer(
            statistics,
            self.options.activation_range,
            self.options.percentile,
            self.options.weight_range,
            self.options.weight_rounding,
            Compression(
                weight_quantizer=self.options.weight_quantizer, weight_quantizers=self.options.weight_quantizers
            ).quantizer,
            saturates() if self.options.headroom is None else self.options.headroom,
            self.options.compact,
        )
        self._pruned: OrderedDict[str, _Pruned] = OrderedDict()

    @property
    def original(self) -> fx.GraphModule:
        """The network as it was imported."""
        return self._imported.module

    def kept(self, policy: Policy) -> dict[str, tuple[int, ...]]:
        """The units every group keeps: the policy's own where it names them, the criterion's choice for a ratio.

        Raises InvalidPolicy.
        """
        self._network.check(policy)
        chosen = {}
        for group, count in self._network.kept_units(policy).items():
            choice = policy.keep.get(group, 1.0)
            if isinstance(choice, tuple):
                chosen[group] = choice
            elif count == self._network.group_by_name[group].units:
                chosen[group] = tuple(range(count))
            else:
                chosen[group] = self._ranking.keep(group, count)
        return chosen

    def orders(self) -> dict[str, tuple[int, ...]]:
        """By group that may shrink its units as the criterion ranks them, the least important first."""
        return {g.name: tuple(self._ranking.order(g.name).tolist()) for g in self._network.prunable_groups}

    def damages(self) -> dict[str, tuple[float, ...]]:
        """By group that may shrink, what is lost when its first 0, 1, ... units of `orders` are gone; see `Ranking`."""
        found = {g.name: self._ranking.damages(g.name) for g in self._network.prunable_groups}
        return {name: losses for name, losses in found.items() if losses}

    def compress(self, policy: Policy) -> Compressed:
        """The network under a policy. Raises InvalidPolicy naming the group or layer at fault."""
        kept = self.kept(policy)
        for name in policy.rank:
            if policy.bits.get(name, FULL_PRECISION).weight <= 16:
                raise InvalidPolicy(
                    f"layer {name!r} cannot have both a lower rank and fewer bits", field=f"rank.{name}"
                )
        pruned = self._prune(policy, kept)
        if any(bits.weight <= 16 or bits.activation <= 8 for bits in policy.bits.values()):
            remaining = {name: self._remaining(name, kept) for name in policy.bits if name not in policy.sparsity}
            self._check_sparse_quantizers(policy)
            module = self._quantizer.quantize(pruned.folded, policy.bits, remaining, pruned.key)
            keep_zeros(masked(module))
        else:
            module = clone(pruned.module)
        return Compressed(module, policy, kept, self._report(policy, pruned))

    def _prune(self, policy: Policy, kept: Kept) -> _Pruned:
        key = Policy(keep=kept, rank=policy.rank, removed=policy.removed, sparsity=policy.sparsity).key
        known = self._pruned.pop(key, None)
        if known is None:
            module = slice_module(self._imported, self._network, kept, policy.removed)
            errors = self._rebuilder.rebuild(module, kept) if self._rebuilder else {}
            if self.options.reconstruction == "sequential":
                errors |= self._refit(module.eval(), kept)
            for name, ratio in policy.rank.items():
                self._factor(module, name, ratio, kept)
            for name, wanted in policy.sparsity.items():
                self._thin_out(module.get_submodule(name), name, wanted, kept)
            known = _Pruned(key, module.eval(), errors)
        self._pruned[key] = known
        if len(self._pruned) > REMEMBERED:
            self._pruned.popitem(last=False)
        return known

    def _factor(self, module: fx.GraphModule, name: str, ratio: float, kept: Kept) -> None:
        layer = module.get_submodule(name)
        if isinstance(layer, Take):
            return  # its block is removed
        known = self._statistics.layers.get(name) if self._statistics else None
        moments = None
        if known is not None and known.gram.columns == "patches" and len(known.gram.matrix) == 1:
            width = known.gram.columns_per_channel
            places = self._channels.weight_input(name, kept)
            columns = (places[:, None] * width + torch.arange(width)).flatten()
            moments = covariance(known.gram, self.options.ridge, centred=False)[0][columns][:, columns]
        made = factored(layer, ratio, moments, name=name, scheme=self.options.low_rank)
        replace_module(module, name, made.eval())

    def _thin_out(self, layer: nn.Module, name: str, wanted: Sparsity, kept: Kept) -> None:
        if is_removed(layer):
            return
        known = self._statistics.layers.get(name) if self._statistics else None
        moments = None
        if known is not None and self.options.sparsity_rule == "obs" and known.gram.columns == "patches":
            left = self._remaining(name, kept)
            width = known.gram.columns_per_channel
            columns = (left.places[:, None] * width + torch.arange(width)).flatten()
            moments = covariance(known.gram, self.options.ridge, centred=False)[left.groups][:, columns][:, :, columns]
        thin_out(layer, wanted, moments)

    def _check_sparse_quantizers(self, policy: Policy) -> None:
        for name in policy.sparsity:
            quantizer = self.options.weight_quantizers.get(name, self.options.weight_quantizer)
            if name in policy.bits and quantizer != "uniform":
                raise InvalidPolicy(
                    f"layer {name!r} is sparse and its weights go through the {quantizer} quantizer, which has no"
                    " exact zero; use the uniform one, or no sparsity there",
                    field=f"sparsity.{name}",
                )

    def _remaining(self, layer: str, kept: Kept) -> Remaining:
        groups = convolution_groups(self._imported.module.get_submodule(layer))
        depthwise = groups > 1 and self._network.by_name[layer].is_depthwise
        left = self._channels.input_channels(layer, kept) if depthwise else torch.arange(groups)
        return Remaining(self._channels.weight_input(layer, kept), left)

    def _refit(self, module: fx.GraphModule, kept: Kept) -> dict[str, float]:
        assert self._calibration is not None
        original = self._imported.module
        return refit_in_order(
            module, original, self._channels, kept, self._calibration, ridge=self.options.ridge, seed=self.options.seed
        )

    def _report(self, policy: Policy, pruned: _Pruned) -> tuple[LayerReport, ...]:
        return tuple(
            LayerReport(
                operation.name,
                operation.in_channels,
                operation.out_channels,
                policy.bits.get(operation.name, FULL_PRECISION),
                pruned.errors.get(operation.name, 0.0),
                zero_share(pruned.module.get_submodule(operation.name)) if operation.sparsity else 0.0,
            )
            for operation in self._network.sized(policy)
            if operation.is_layer
        )
