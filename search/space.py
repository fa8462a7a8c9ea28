"""The policies a search may propose: legal widths and bits on the device, within the cost constraints.

An algorithm sees points of [0, 1]^size, policies, and a way between them. `project` brings any policy onto the budget.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from hw_models.legal import STEPPED, BitsDevice
from paretrim.algorithms import Genome
from paretrim.errors import InvalidInput, NotMeasured
from paretrim.network import Network, units_kept
from paretrim.problem import FULL_PRECISION, Constraint, Measurement, Objective, Policy
from search.knobs import BitsKnob, BlockKnob, KeepKnob, Knob, RankKnob, bits_knob, keep_knob, rank_knob
from search.projection import Levels, Projection, Vector, Walls, infeasible

#: smallest share of a group's units that is proposed, unless the constraints cannot be met with it
MIN_KEEP = 0.1

#: metrics that bits have no part in
WIDTH_ONLY = frozenset({"macs"})


#: widths have enough room if they can all be turned up so far together
ENOUGH_ROOM = 0.5

#: and where bits have to be lowered for it, they are down to so many if that gives widths so much more
HARMLESS_BITS, SPARED_ROOM = 5, 0.625

#: costs remembered; far more than one proposal looks at
REMEMBERED = 20_000


class CostModel(Protocol):
    """What a policy costs on the device; `hw_models.cost.Costs` is one."""

    @property
    def original(self) -> Measurement:
        """Of the policy that changes nothing."""
        ...

    def measure(self, policy: Policy) -> Measurement:
        """Every cost that the device knows, without accuracy."""
        ...


@runtime_checkable
class QuickCosts(Protocol):
    """A cost model that can leave out what is not asked for."""

    def figures(self, policy: Policy, metrics: Collection[str]) -> Measurement:
        """As `measure`, but only these metrics."""
        ...


class Space:
    """Knobs, their legal values, and the walls around what they may cost.

    Free knobs are searched; the others stay as pinned. Made alike, two spaces are alike.
    """

    def __init__(
        self,
        network: Network,
        device: BitsDevice,
        costs: CostModel,
        *,
        objectives: Sequence[Objective] = (Objective("accuracy"),),
        constraints: Sequence[Constraint] = (),
        min_keep: float = MIN_KEEP,
    ) -> None:
        """Raises Infeasible if no policy meets the cost constraints; `reachable` says what can be had.

        Constraints on accuracy take no part here: they are checked on what was measured.
        """
        self.network, self.device, self.costs = network, device, costs
        self._quick = costs if isinstance(costs, QuickCosts) else None  # the check is dear
        self.objectives = tuple(objectives)
        self.constraints = tuple(c for c in constraints if c.base_metric != "accuracy")
        self.original = costs.original
        names = {o.metric for o in self.objectives} | {c.base_metric for c in self.constraints}
        #: the costs that are objectives or constrained
        self.metrics = frozenset(names - {"accuracy"})
        for share in dict.fromkeys((min_keep, 0.0)):
            self.knobs = self._all_knobs(share)
            self._remembered: dict[Levels, Measurement] = {}
            self._measured: dict[Policy, Measurement] = {}
            self._policies: dict[Levels, Policy] = {}
            most = tuple(knob.levels - 1 for knob in self.knobs)
            free = self._searchable()
            if self._bind(free, most):
                return
        raise infeasible(self.constraints, self.original, self.reachable())

    @property
    def free_knobs(self) -> tuple[Knob, ...]:
        """The knobs that are searched, in the order of a vector: groups, then layers."""
        return tuple(self.knobs[i] for i in self._free)

    @property
    def free_places(self) -> tuple[int, ...]:
        """Where the free knobs are among `knobs`."""
        return self._free

    @property
    def size(self) -> int:
        """Length of a vector."""
        return sum(knob.dimensions for knob in self.free_knobs)

    @property
    def fills(self) -> bool:
        """Whether a policy that costs less than allowed is a waste: no cost is an objective, so nobody asked for it."""
        return all(objective.metric == "accuracy" for objective in self.objectives)

    @property
    def anchor(self) -> Policy:
        """A policy that meets the constraints."""
        return self.policy(self._anchor)

    @property
    def most(self) -> Policy:
        """Every free knob at its most. It need not meet the constraints."""
        return self.policy(self._projection().top(self._rest))

    def decode(self, vector: npt.ArrayLike) -> Policy:
        """The policy at a point of [0, 1]^size; not projected."""
        return self.policy(self._projection().levels(np.asarray(vector, dtype=np.float64), self._rest))

    def encode(self, policy: Policy) -> Vector:
        """The middle of the cell that a policy lies in, or lies nearest to. (size,)"""
        return self._projection().vector(self.levels(policy))

    def project(self, policy: Policy, limits: Mapping[str, float] | None = None, *, fill: bool | None = None) -> Policy:
        """The policy of this space nearest to the one given, brought onto the budget from above or below.

        That is checked after rounding. limits: walls for this policy beside the constraints, by metric, in its unit;
        missed only if nothing is found that meets them. fill: use up what the budget allows; by default if `fills`, or
        if there are limits.
        """
        if not limits and not self.constraints:
            return self.policy(self.levels(policy))
        projection = self._projection(limits or {})
        anchor = self._anchor if projection.fits(self._anchor) else projection.smallest(self._rest)[0]
        if not self._walls().fit(self.cost(anchor)):
            anchor = self._anchor  # the limits are out of reach: the constraints come first
        filling = (self.fills or bool(limits)) if fill is None else fill
        return self.policy(projection.onto(self.levels(policy), anchor, fill=filling))

    def weighing(self, metrics: Collection[str]) -> Space:
        """This space for a search that these costs matter to as well, as they do with a soft budget."""
        if self.metrics.issuperset(metrics):
            return self
        other = copy.copy(self)
        other.metrics = self.metrics | set(metrics)
        other._remembered = {}
        other._bind(other._searchable(), self._rest)
        return other

    def restricted(self, genome: Genome) -> Space:
        """This space with only widths free (`keep`), only bits (`bits`), both (`joint`), or these with the ranks of
        layers and whole residual blocks (`full`).

        What is not free is at its most, or at the widest alike setting with which the constraints can be met; bits that
        are not free are also lowered if that spares widths from being halved. Raises Infeasible if there is no such
        setting, InvalidInput if nothing is left to search.
        """
        wanted: type[Knob] | None = {"keep": KeepKnob, "bits": BitsKnob}.get(genome)
        free = tuple(i for i in self._free if wanted is None or isinstance(self.knobs[i], wanted))
        if genome == "full":
            free = tuple(sorted({*free, *self._structural()}))
        if not free:
            raise InvalidInput(
                f"there is nothing to search: no {genome} of this network can be changed on this device to an effect "
                f"on {', '.join(sorted(self.metrics)) or 'accuracy'}; choose another genome or algorithm",
                field="algorithms",
            )
        other = copy.copy(self)
        if not other._bind(free, self._pinned(other, free, genome)):
            raise infeasible(self.constraints, self.original, other.reachable())
        return other

    def fits(self, policy: Policy) -> bool:
        """Whether the policy meets the cost constraints."""
        return self._walls().fit(self.measure(policy))

    def is_legal(self, policy: Policy) -> bool:
        """Whether the policy is one of this space: legal values, and what is not free as pinned."""
        levels = self.levels(policy)
        own = self.policy(levels)
        exact = self.network.kept_units(policy) == self.network.kept_units(own)
        return exact and (policy.bits, policy.rank, policy.removed) == (own.bits, own.rank, own.removed)

    def measure(self, policy: Policy) -> Measurement:
        """Everything that a policy costs; remembered."""
        known = self._measured.get(policy)
        if known is None:
            if len(self._measured) >= REMEMBERED:
                self._measured.clear()
            known = self._measured[policy] = self.costs.measure(policy)
        return known

    def counts(self, policy: Policy) -> dict[str, int]:
        """Units that the policy keeps of each group that has a knob."""
        kept = self.network.kept_units(policy)
        return {knob.name: kept[knob.name] for knob in self.knobs if isinstance(knob, KeepKnob)}

    def levels(self, policy: Policy) -> Levels:
        """For every knob the index of its legal value nearest to the policy's; what is not free as pinned."""
        known = self._known_levels.get(policy)
        if known is None:
            if len(self._known_levels) >= REMEMBERED:
                self._known_levels.clear()
            levels = list(self._rest)
            for i in self._free:
                levels[i] = self._level(self.knobs[i], policy)
            known = self._known_levels[policy] = tuple(levels)
        return known

    def policy(self, levels: Levels) -> Policy:
        """The inverse of `levels`. Ratios are counts / units, so that rounding gives the counts back.

        What has no effect is not named: bits of a layer of lower rank, and anything about a removed block.
        """
        known = self._policies.get(levels)
        if known is None:
            if len(self._policies) >= REMEMBERED:
                self._policies.clear()
            known = self._policies[levels] = self._policy(levels)
        return known

    def _policy(self, levels: Levels) -> Policy:
        keep: dict[str, float | tuple[int, ...]] = {}
        bits, rank, removed = {}, {}, []
        for knob, level in zip(self.knobs, levels, strict=True):
            if isinstance(knob, KeepKnob):
                keep[knob.name] = knob.counts[level] / knob.units
            elif isinstance(knob, BitsKnob):
                bits[knob.name] = knob.choices[level]
            elif isinstance(knob, RankKnob):
                if level + 1 < knob.levels:
                    rank[knob.name] = knob.shares[level]
            elif level == 0:
                removed.append(knob.name)
        if not rank and not removed:
            return Policy(keep=keep, bits=bits)
        gone = {name for block in self.network.blocks if block.name in removed for name in block.operations}
        empty = {group.name for group in self.network.groups if gone.issuperset(group.producers)}
        return Policy(
            keep={name: choice for name, choice in keep.items() if name not in empty},
            bits={name: pair for name, pair in bits.items() if name not in gone and name not in rank},
            rank={name: share for name, share in rank.items() if name not in gone},
            removed=tuple(removed),
        )

    def cost(self, levels: Levels) -> Measurement:
        """What levels cost, in the metrics that count here; remembered."""
        known = self._remembered.get(levels)
        if known is None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            known = self._remembered[levels] = self._figures(self.policy(levels))
        return known

    def _figures(self, policy: Policy) -> Measurement:
        return self._quick.figures(policy, self.metrics) if self._quick is not None else self.costs.measure(policy)

    def limits(self, limits: Mapping[str, float]) -> dict[str, float]:
        """The most that each cost may be, by metric: constraints and limits together."""
        tightest = dict(limits)
        for constraint in self.constraints:
            bound = constraint.limit(self.original)
            tightest[constraint.base_metric] = min(bound, tightest.get(constraint.base_metric, bound))
        return tightest

    def excess(self, levels: Levels, limits: Mapping[str, float]) -> float:
        """The worst cost as a share of what it may be."""
        return self._walls(limits).excess(self.cost(levels))

    def smallest(self, metric: str) -> float:
        """The least of a cost that the free knobs can reach, as far as it is found."""
        walls = Walls((), self.original, {metric: sys.float_info.min})
        levels, _ = Projection(self.knobs, self._free, self.cost, walls).smallest(self._rest)
        return self.cost(levels).value(metric)

    def reachable(self) -> dict[str, float]:
        """`smallest` of every constrained cost."""
        return {metric: self.smallest(metric) for metric in {c.base_metric for c in self.constraints}}

    def _bind(self, free: tuple[int, ...], rest: Levels) -> bool:
        """Set what is free and where the rest is pinned; False if no policy found meets the constraints."""
        self._free, self._rest = free, rest
        self._known_levels: dict[Policy, Levels] = {}
        self._anchor, _ = self._projection().smallest(rest)
        return self._walls().fit(self.cost(self._anchor))

    def _room(self) -> float:
        """How far all free knobs can be turned up together within the constraints, in [0, 1]."""
        shares = (1.0, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125)
        levels = (self._projection().levels(np.full(self.size, share), self._rest) for share in shares)
        return next((s for s, one in zip(shares, levels, strict=True) if self._walls().fit(self.cost(one))), 0.0)

    def _all_knobs(self, min_keep: float) -> tuple[Knob, ...]:
        stepped = bool(self.metrics & STEPPED)
        widths: list[Knob] = [
            keep_knob(self.network, self.device, group, min_keep=min_keep, stepped=stepped)
            for group in self.network.free_groups
        ]
        layers = self.network.layers
        return (
            *widths,
            *(bits_knob(self.network, layer, self.device) for layer in layers),
            *(knob for layer in layers if (knob := rank_knob(self.network, layer, self.device)) is not None),
            *(BlockKnob(block.name) for block in self.network.blocks),
        )

    def _structural(self) -> tuple[int, ...]:
        """Positions of ranks and blocks, but for those whose cost the device cannot say."""
        top = tuple(knob.levels - 1 for knob in self.knobs)
        return tuple(
            i
            for i, knob in enumerate(self.knobs)
            if isinstance(knob, RankKnob | BlockKnob)
            and all(self._is_known((*top[:i], level, *top[i + 1 :])) for level in range(knob.levels))
        )

    def _is_known(self, levels: Levels) -> bool:
        try:
            self.measure(self.policy(levels))
        except NotMeasured:
            return False
        return True

    def _searchable(self) -> tuple[int, ...]:
        """Positions of the knobs that have a choice which matters to an objective or a constraint."""
        widths_only = self.metrics <= WIDTH_ONLY
        return tuple(
            i
            for i, knob in enumerate(self.knobs)
            if knob.levels > 1
            and isinstance(knob, KeepKnob | BitsKnob)
            and not (widths_only and isinstance(knob, BitsKnob))
        )

    def _pinned(self, other: Space, free: tuple[int, ...], genome: Genome) -> Levels:
        """Where what is not free is pinned. other: a copy to try it on."""
        rooms: list[tuple[float, Levels]] = []
        for rest in self._pins(frozenset(self._free) - frozenset(free)):
            room = other._room() if other._bind(free, rest) else -1.0
            rooms.append((room, rest))
            if genome != "keep" or rest == self._rest:
                enough = room >= (ENOUGH_ROOM if genome == "keep" else 0.0)
            else:  # once bits give way, those that do little harm go before widths are halved
                enough = room >= SPARED_ROOM and self._fewest_bits(rest) >= HARMLESS_BITS
            if enough:
                return rest
        return next((rest for room, rest in rooms if room >= ENOUGH_ROOM), max(rooms, key=lambda one: one[0])[1])

    def _pins(self, pinned: frozenset[int]) -> Iterator[Levels]:
        """Where pinned knobs may be, best first: at their most, then ever lower and all alike."""
        yield self._rest
        layers = {i: knob for i in pinned if isinstance(knob := self.knobs[i], BitsKnob)}
        pairs = {bits for knob in layers.values() for bits in knob.choices}
        for pair in sorted(pairs, key=lambda bits: (-bits.weight * bits.activation, -bits.weight)):
            lowered = {i: knob.nearest(pair) for i, knob in layers.items()}
            yield tuple(lowered.get(i, level) for i, level in enumerate(self._rest))
        groups = {i: knob for i in pinned if isinstance(knob := self.knobs[i], KeepKnob)}
        for share in (0.75, 0.5, 0.25, 0.0) if groups else ():
            lowered = {i: int(share * (knob.levels - 1)) for i, knob in groups.items()}
            yield tuple(lowered.get(i, level) for i, level in enumerate(self._rest))

    def _fewest_bits(self, levels: Levels) -> int:
        """Of any layer."""
        pairs = [k.choices[level] for k, level in zip(self.knobs, levels, strict=True) if isinstance(k, BitsKnob)]
        return min((min(pair.weight, pair.activation) for pair in pairs), default=32)

    def _walls(self, limits: Mapping[str, float] | None = None) -> Walls:
        return Walls(self.constraints, self.original, limits or {})

    def _projection(self, limits: Mapping[str, float] | None = None) -> Projection:
        return Projection(self.knobs, self._free, self.cost, self._walls(limits))

    def _level(self, knob: Knob, policy: Policy) -> int:
        if isinstance(knob, BitsKnob):
            return knob.nearest(policy.bits.get(knob.name, FULL_PRECISION))
        if isinstance(knob, RankKnob):
            return knob.nearest(policy.rank.get(knob.name, 1.0))
        if isinstance(knob, BlockKnob):
            return int(knob.name not in policy.removed)
        choice = policy.keep.get(knob.name, 1.0)
        return knob.nearest(len(choice) if isinstance(choice, tuple) else units_kept(knob.units, choice))
