"""The best known policy at every level of cost: what a local search starts from when a whole front is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paretrim.problem import Policy

#: levels of cost that are told apart, for each cost that is an objective
LEVELS = 12


@dataclass(frozen=True)
class Incumbent:
    """A policy and what it is worth."""

    policy: Policy
    worth: float


class Niches:
    """One incumbent for each level of cost; a single one where costs are no objective."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, ...], Incumbent] = {}

    def __len__(self) -> int:
        return len(self._held)

    def at(self, shares: Sequence[float]) -> tuple[int, ...]:
        """The niche of a cost: shares of what lies between the least and the most, one for each metric."""
        return tuple(int(np.clip(share * LEVELS, 0, LEVELS - 1)) for share in shares)

    def offer(self, niche: tuple[int, ...], policy: Policy, worth: float) -> bool:
        """Put a policy into its niche if it is worth more than who is there. True if it was."""
        held = self._held.get(niche)
        if held is not None and held.worth >= worth:
            return False
        self.put(niche, policy, worth)
        return True

    def put(self, niche: tuple[int, ...], policy: Policy, worth: float) -> None:
        """Put a policy into its niche, whoever is there."""
        self._held[niche] = Incumbent(policy, worth)

    def get(self, niche: tuple[int, ...]) -> Incumbent | None:
        """Who is there, None if nobody."""
        return self._held.get(niche)

    def near(self, niche: tuple[int, ...]) -> Incumbent | None:
        """Who is there or, if nobody, in the nearest niche; None if all are empty."""
        if not self._held:
            return None
        nearest = min(self._held, key=lambda other: (sum(abs(a - b) for a, b in zip(niche, other, strict=True)), other))
        return self._held[nearest]

    def state(self) -> list[Any]:
        """As JSON."""
        return [[list(niche), held.policy.to_json(), held.worth] for niche, held in sorted(self._held.items())]

    def load_state(self, state: Sequence[Any]) -> None:
        """The inverse of `state`."""
        self._held = {tuple(niche): Incumbent(Policy.from_json(policy), float(worth)) for niche, policy, worth in state}
