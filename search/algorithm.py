"""What every search algorithm promises.

It knows the space, a seed and the candidates it was told. It never evaluates, keeps records, prints, or meets Ray.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from paretrim.problem import Budget, Candidate, Constraint, Measurement, Objective, Policy
from search.space import Space

#: what an algorithm reckons with if nobody says how long the search will be
DEFAULT_BUDGET = Budget(candidates=200)


@dataclass(frozen=True)
class Task:
    """What is searched, and for what: all that an algorithm is given beside its options and its seed."""

    space: Space
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    original: Measurement  #: the uncompressed network, measured as candidates are
    budget: Budget = field(default=DEFAULT_BUDGET)  #: to plan with; whoever drives the search enforces it
    #: by group its units as the criterion ranks them, the least important first; for algorithms that choose units
    orders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    #: by group what is foreseen to be lost when its first 0, 1, ... units of `orders` are gone, in one unit for all
    #: groups, see `search.foresight`; {}: nothing is foreseen
    damages: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


class Algorithm(Protocol):
    """Asked for policies window by window, told the candidates in the order of their index.

    The same seed and the same candidates give the same policies, in any process. A policy that was asked for or told
    before is proposed again only if no other can be found.
    """

    def ask(self) -> Policy:
        """The next policy to evaluate; it meets every cost constraint. Raises SearchExhausted if there is none."""
        ...

    def tell(self, candidate: Candidate) -> None:
        """What came of a policy. Failed candidates are told too."""
        ...

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Take in candidates of other searches of the same network. Call it before the first `ask`."""
        ...

    def state(self) -> tuple[dict[str, Any], bytes]:
        """All of it, random state included: JSON values, and arrays as safetensors (b"" if there are none)."""
        ...

    def load_state(self, state: Mapping[str, Any], arrays: bytes) -> None:
        """Continue exactly where `state` was taken. For a fresh instance made with the same arguments."""
        ...


@runtime_checkable
class Gauged(Protocol):
    """An algorithm that can say how it is doing. Optional: what it says is drawn, and changes nothing."""

    def gauges(self) -> Mapping[str, float]:
        """Figures of its own (`reward`, `noise`, `generation`) since it was last asked; once after every window."""
        ...


class Maker(Protocol):
    """How an algorithm's class is called."""

    def __call__(self, task: Task, options: Any, seed: int) -> Algorithm:
        """A fresh instance. options: of the algorithm's own class in `paretrim.algorithms`.

        Raises Infeasible if no policy of its kind meets the constraints.
        """
        ...
