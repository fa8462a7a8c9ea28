"""The walk as a Gymnasium environment: one decision a step, the reward at the end.

It knows nothing of networks: what a step looks like and what an episode is worth are functions it is given. So any
stable-baselines3 agent can be let loose on a search, and the agents here take their shapes from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Observe = Callable[[Sequence[float]], npt.ArrayLike]
Judge = Callable[[Sequence[float]], tuple[float, Sequence[float]]]


class WalkEnvironment(gymnasium.Env[Array, Array]):
    """One action a step, for a fixed number of steps; observations in [0, 1]^features.

    Actions of the environment lie in [-1, 1], as the package's agents want them; the functions see them in [0, 1].
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(self, steps: int, features: int, observe: Observe, judge: Judge) -> None:
        """observe: the features of the next step, given the actions so far; after the last step, those of the last.

        judge: what an episode's actions are worth, and the actions that were really carried out.
        """
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (features,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._steps, self._observe, self._judge = steps, observe, judge
        self._actions: list[float] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Begin an episode. Nothing about it is random."""
        super().reset(seed=seed, options=options)
        self._actions = []
        return self._observation(), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Decide the next step. `info` of the last holds the actions carried out, as `executed`."""
        self._actions.append(float(np.clip((np.asarray(action).reshape(-1)[0] + 1.0) / 2.0, 0.0, 1.0)))
        if len(self._actions) < self._steps:
            return self._observation(), 0.0, False, False, {}
        reward, executed = self._judge(self._actions)
        return self._observation(), float(reward), True, False, {"executed": list(executed)}

    def _observation(self) -> Array:
        return np.clip(np.asarray(self._observe(self._actions), dtype=np.float32), 0.0, 1.0)
