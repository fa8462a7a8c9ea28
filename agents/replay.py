"""stable-baselines3's replay buffer with chance as an argument: the library's own draws from numpy's global state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import Tensor

ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a walk. The next state of the last step is not looked at."""

    state: NDArray[np.float32]  # (states,)
    action: NDArray[np.float32]  # (actions,), in [0, 1]: what was executed, not what was proposed
    reward: float
    next_state: NDArray[np.float32]
    last: bool


class SeededReplay(ReplayBuffer):
    """A ring of transitions, sampled with a generator of its own.

    With `baseline_decay`, sampled rewards are taken above AMC's baseline: a moving average of the mean reward of
    batches.
    """

    def __init__(
        self,
        capacity: int,
        states: spaces.Box,
        actions: spaces.Box,
        *,
        random: np.random.Generator,
        baseline_decay: float | None = None,
    ) -> None:
        super().__init__(capacity, states, actions, device="cpu", handle_timeout_termination=False)
        self.random = random
        self.baseline: float | None = None
        self._decay = baseline_decay

    def put(self, transition: Transition) -> None:
        """Append one transition; the oldest goes when the ring is full."""
        action = np.asarray(transition.action, dtype=np.float32) * 2.0 - 1.0  # networks act in [-1, 1]
        self.add(
            transition.state[None],
            transition.next_state[None],
            action[None],
            np.array([transition.reward], dtype=np.float32),
            np.array([transition.last]),
            [{}],
        )

    def sample(self, batch_size: int, env: object = None) -> ReplayBufferSamples:  # noqa: ARG002  the library passes it
        """With replacement, from the generator given."""
        rows = self.random.integers(0, self.size(), size=batch_size)
        done = torch.from_numpy(self.dones[rows, 0][:, None])
        rewards = self._above_baseline(self.rewards[rows, 0])
        return ReplayBufferSamples(
            observations=torch.from_numpy(self.observations[rows, 0]),
            actions=torch.from_numpy(self.actions[rows, 0]),
            next_observations=torch.from_numpy(self.next_observations[rows, 0]),
            dones=done,
            rewards=torch.from_numpy(rewards[:, None]),
            discounts=None,
        )

    def _above_baseline(self, rewards: NDArray[np.float32]) -> NDArray[np.float32]:
        """(batch,) -> (batch,)"""
        if self._decay is None:
            return rewards
        mean = float(rewards.mean())
        self.baseline = mean if self.baseline is None else self._decay * self.baseline + (1 - self._decay) * mean
        return rewards - np.float32(self.baseline)

    def tensors(self) -> dict[str, Tensor]:
        """What the ring holds, by name."""
        filled = self.size()
        return {name: torch.from_numpy(getattr(self, name)[:filled].copy()) for name in ARRAYS}

    def restore(self, tensors: dict[str, Tensor], position: int, full: bool) -> None:
        """The inverse of `tensors`."""
        for name in ARRAYS:
            array = getattr(self, name)
            array[: len(tensors[name])] = tensors[name].numpy()
        self.pos, self.full = position, full
