"""NetAdapt: in every round each knob alone is cut, all are measured, the best stays (Yang et al., ECCV 2018).

Where costs are objectives this is the published procedure: from the whole network (within the constraints) down, each
round by a share of the cost, each proposal meeting the round's target by one knob alone. Under a fixed budget there is
nowhere down to go: a proposal cuts one knob and gives what that saves to the others, and when no trade pays, cuts
become smaller. Both need as many candidates a round as there are knobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paretrim.algorithms import NetAdaptOptions
from paretrim.problem import Candidate, Policy
from search.algorithm import Task
from search.novelty import KEY_DIGITS, varied
from search.proposer import Proposer

#: smallest cut of a knob, as a share of its levels
FINEST = 0.02


class NetAdapt(Proposer):
    """Rounds of one proposal for each knob."""

    def __init__(self, task: Task, options: NetAdaptOptions, seed: int) -> None:
        super().__init__(task, options.genome, seed, soft=options.soft, exponent=options.soft_exponent)
        self._options = options
        self._current = self._opening[0]
        self._opening = [self._current]
        self._cut = options.cut
        self._worths: dict[str, float] = {}  # of everything told, by key
        self._round: list[Policy] = []
        self._proposed = 0  # of the round

    def _propose(self, limits: Mapping[str, float]) -> Policy:
        """The round's next proposal; while its last ones are being measured, a variation of where it stands."""
        if self._proposed == len(self._round) and all(self._known(policy) is not None for policy in self._round):
            self._next_round()
        while self._proposed < len(self._round):
            self._proposed += 1
            policy = self._round[self._proposed - 1]
            if policy not in self._seen:
                return policy
        return self._space.project(varied(self._current, self._space, self._rng, 1 / self._space.size), limits)

    def _take_in(self, candidate: Candidate) -> None:
        self._worths[candidate.policy.key[:KEY_DIGITS]] = self._worth(candidate)

    def _next_round(self) -> None:
        """Go where the last round was best, and cut every knob from there."""
        if self._round:
            best = max(self._round, key=lambda policy: self._known(policy) or 0.0)
            if self._aim.metrics or (self._known(best) or 0.0) > (self._known(self._current) or 0.0):
                self._current = best
            else:
                self._cut = max(FINEST, self._cut / 2)
        places = self._space.free_places
        proposals = [self._down(place) if self._aim.metrics else self._traded(place) for place in places]
        self._round = [policy for policy in dict.fromkeys(proposals) if policy != self._current]
        self._proposed = 0

    def _traded(self, place: int) -> Policy:
        """The current policy with one knob cut, and the others grown by what that saves."""
        levels = self._space.levels(self._current)
        cut = max(1, round(self._cut * self._space.knobs[place].levels))
        return self._space.project(
            self._space.policy((*levels[:place], max(0, levels[place] - cut), *levels[place + 1 :]))
        )

    def _down(self, place: int) -> Policy:
        """The current policy with one knob cut just so far that the round's target is met, or as far as it goes."""
        levels = self._space.levels(self._current)
        costs = self._space.cost(levels)
        target = {metric: (1 - self._options.reduction) * costs.value(metric) for metric in self._aim.metrics[:1]}
        low, high = 0, levels[place]
        while low < high:  # the highest level that meets the target
            middle = (low + high + 1) // 2
            after = self._space.excess((*levels[:place], middle, *levels[place + 1 :]), target)
            low, high = (middle, high) if after <= 1.0 else (low, middle - 1)
        return self._space.project(self._space.policy((*levels[:place], low, *levels[place + 1 :])), fill=False)

    def _known(self, policy: Policy) -> float | None:
        return self._worths.get(policy.key[:KEY_DIGITS])

    def _own_state(self) -> dict[str, Any]:
        return {
            "current": self._current.to_json(),
            "cut": self._cut,
            "worths": dict(self._worths),
            "round": [policy.to_json() for policy in self._round],
            "proposed": self._proposed,
        }

    def _load_own_state(self, state: Mapping[str, Any]) -> None:
        self._current = Policy.from_json(state["current"])
        self._cut, self._proposed = float(state["cut"]), int(state["proposed"])
        self._worths = {key: float(worth) for key, worth in state["worths"].items()}
        self._round = [Policy.from_json(policy) for policy in state["round"]]
