"""The latency that planning uses: what is pruned may be zero-padded again, up to a width that the device runs faster.

Kernels that read whole blocks make a saw-tooth of a layer's time: 23 channels can cost more than 24. So a policy costs
the lesser of its own time and of the same policy with some groups a little wider. The exporter pads what pays (zero
filters and zero columns: the outputs are the same).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from hw_models.counts import ACTIVATIONS, VIEWS
from hw_models.device import Device
from hw_models.legal import unit_step
from hw_models.many import ManyCosts
from paretrim.network import Group, Network
from paretrim.problem import FULL_PRECISION, Policy

#: a network must be predicted to gain so much by being padded, as a share
PAYS = 0.01
#: kinds of operations that the exporter widens; a network with any other is left as it is
PADDABLE = (
    (ACTIVATIONS - {"softmax"})
    | VIEWS
    | {
        *("conv1d", "conv2d", "linear", "batch_norm", "add", "sub", "mul", "div", "pow", "concat", "pad", "slice"),
        *("max_pool", "avg_pool", "global_avg_pool", "global_max_pool"),
    }
)
#: multiples that a width is tried to be padded to, beside the device's own steps
_MULTIPLES = (4, 8, 16, 32)


class Envelope:
    """Which groups of a network under a policy are worth padding on a device. Only tables have a saw-tooth."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network, self.device = network, device
        self._groups = {group.name: (place, group) for place, group in enumerate(network.groups)}
        paddable = device.kind == "table" and all(operation.kind in PADDABLE for operation in network.operations)
        self._free = frozenset(group.name for group in network.free_groups) if paddable else frozenset()
        self._steps = {name: unit_step(network, device, self._groups[name][1]) for name in self._free}
        self._found: dict[tuple[str, int, int], int] = {}
        self._costs: ManyCosts | None = None

    def widths(self, policy: Policy) -> dict[str, int]:
        """By group, the units it had better be padded to; groups that are best as they are do not appear.

        What a group gains is told with all others whole, at the kernel that most of its layers run at.
        """
        kept = self.network.kept_units(policy)
        better = {}
        for name in self._free:
            if kept[name] < self._groups[name][1].units:
                width = self._best(name, kept[name], self._kernel(self._groups[name][1], policy))
                if width > kept[name]:
                    better[name] = width
        return {name: better[name] for name in kept if name in better}

    def padded(self, policy: Policy) -> Policy | None:
        """The policy with those widths, to predict with; None if nothing is worth padding."""
        widths = self.widths(policy)
        if not widths:
            return None
        return replace(policy, keep={**policy.keep, **self.ratios(widths)})

    def ratios(self, widths: dict[str, int]) -> dict[str, float]:
        """Keep ratios that leave so many units."""
        return {name: width / self._groups[name][1].units for name, width in widths.items()}

    def _best(self, name: str, kept: int, kernel: int) -> int:
        key = (name, kept, kernel)
        if key not in self._found:
            self._found[key] = self._look(name, kept, kernel)
        return self._found[key]

    def _look(self, name: str, kept: int, kernel: int) -> int:
        if self._costs is None:
            self._costs = ManyCosts(self.network, self.device)
        place, group = self._groups[name]
        steps = {self._steps[name], *_MULTIPLES}
        wider = {-(-(kept + 1) // step) * step for step in steps} | {group.units}
        widths = sorted(width for width in wider if kept < width <= group.units)
        whole = np.array([one.units for one in self.network.groups], dtype=np.int64)
        rows = np.tile(whole, (1 + len(widths), 1))
        rows[:, place] = [kept, *widths]
        bits = np.full((len(rows), len(self.network.layers)), kernel, dtype=np.int64)
        times = self._costs.latency_ms(rows, bits)
        best = int(times.argmin())
        return kept if best == 0 else widths[best - 1]

    def _kernel(self, group: Group, policy: Policy) -> int:
        """Position of the kernel that most layers at the group's ends run at."""
        execution = self.device.execution
        position = {kernel: index for index, kernel in enumerate(execution.kernels)}
        names = [name for name in (*group.producers, *group.consumers) if self.network.by_name[name].is_layer]
        found = Counter(position[execution.executed(policy.bits.get(name, FULL_PRECISION))] for name in names)
        return max(sorted(found), key=lambda kernel: found[kernel]) if found else 0
