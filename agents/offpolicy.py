"""DDPG, TD3 and SAC of stable-baselines3 without an environment: transitions are handed in, actions come out.

The reward of a policy comes at its end, so whoever walks a network knows all transitions of an episode at once and no
`env.step` is needed. What is the library's is the networks, the targets and `train`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from safetensors.torch import load, save
from stable_baselines3 import DDPG, SAC, TD3
from stable_baselines3.common.logger import Logger
from torch import Tensor

from agents.replay import SeededReplay, Transition
from paretrim.errors import InvalidInput

Kind = Literal["ddpg", "td3", "sac"]
ALGORITHMS = {"ddpg": DDPG, "td3": TD3, "sac": SAC}


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Defaults are those of the published AMC code (DDPG, 300-300, tau 0.01, no discount)."""

    hidden: int = 300  #: width of the two hidden layers
    actor_rate: float = 1e-4
    critic_rate: float = 1e-3
    batch: int = 64
    tau: float = 0.01
    gamma: float = 1.0
    capacity: int = 4000  #: transitions remembered
    baseline_decay: float | None = None  #: memory of a moving baseline under the rewards of batches; AMC's is 0.5


class _Shape(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Only the shapes of states and actions, which the library takes from an environment. It is never stepped."""

    def __init__(self, states: int, actions: int) -> None:
        self.observation_space = self.states = spaces.Box(-np.inf, np.inf, (states,), np.float32)
        self.action_space = self.actions = spaces.Box(-1.0, 1.0, (actions,), np.float32)


class OffPolicyAgent:
    """An actor over vectors. states, actions: their lengths. The same seed and transitions give the same actions."""

    def __init__(
        self, kind: Kind, states: int, actions: int, *, seed: int, options: AgentOptions | None = None
    ) -> None:
        self.options = options or AgentOptions()
        self._random = np.random.default_rng([seed, 0x5EED])
        shape = _Shape(states, actions)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._learner = ALGORITHMS[kind](
                "MlpPolicy",
                shape,
                learning_rate=self.options.critic_rate,
                buffer_size=1,  # replaced below
                batch_size=self.options.batch,
                tau=self.options.tau,
                gamma=self.options.gamma,
                policy_kwargs={"net_arch": [self.options.hidden, self.options.hidden]},
                device="cpu",
            )
        self._learner.set_logger(Logger(folder=None, output_formats=[]))
        self._learner._update_learning_rate = self._set_rates  # the library has one rate for both
        self._replay = SeededReplay(
            self.options.capacity,
            shape.states,
            shape.actions,
            random=self._random,
            baseline_decay=self.options.baseline_decay,
        )
        self._learner.replay_buffer = self._replay

    @property
    def remembered(self) -> int:
        """Transitions in the replay buffer."""
        return int(self._replay.size())

    def act(self, state: NDArray[np.float32]) -> NDArray[np.float64]:
        """The actor's choice without noise. state: (states,). Returns (actions,) in [0, 1]."""
        with torch.inference_mode():
            observation = torch.as_tensor(state, dtype=torch.float32)[None]
            action = self._learner.policy._predict(observation, deterministic=True)[0].numpy()
        chosen: NDArray[np.float64] = np.clip((action.astype(np.float64) + 1.0) / 2.0, 0.0, 1.0)
        return chosen

    def remember(self, transitions: Iterable[Transition]) -> None:
        """Put transitions into the replay buffer; no learning yet."""
        for transition in transitions:
            self._replay.put(transition)

    def learn(self, steps: int) -> None:
        """So many gradient steps on batches from the replay buffer. Nothing happens while it is empty."""
        if steps < 1 or not self.remembered:
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._random.integers(0, 2**31)))
            self._learner.train(gradient_steps=steps, batch_size=self.options.batch)
        self._learner.policy.set_training_mode(False)

    def state(self) -> tuple[dict[str, Any], bytes]:
        """All of it: JSON values, and weights, optimisers and replay as safetensors."""
        tensors = {f"policy.{name}": value for name, value in self._learner.policy.state_dict().items()}
        for role, optimizer in self._optimizers().items():
            tensors |= {f"optimizer.{role}.{name}": value for name, value in _flat(optimizer).items()}
        if (entropy := getattr(self._learner, "log_ent_coef", None)) is not None:
            tensors["log_ent_coef"] = entropy.detach()
        tensors |= {f"replay.{name}": value for name, value in self._replay.tensors().items()}
        values = {
            "random": self._random.bit_generator.state,
            "updates": self._learner._n_updates,
            "position": self._replay.pos,
            "baseline": self._replay.baseline,
            "full": self._replay.full,
        }
        return values, save({name: value.detach().clone().contiguous() for name, value in tensors.items()})

    def load_state(self, values: Mapping[str, Any], arrays: bytes) -> None:
        """Continue exactly where `state` was taken."""
        tensors = load(arrays)
        self._learner.policy.load_state_dict(_below(tensors, "policy."))
        for role, optimizer in self._optimizers().items():
            _load_flat(optimizer, _below(tensors, f"optimizer.{role}."))
        if "log_ent_coef" in tensors:
            self._learner.log_ent_coef.data.copy_(tensors["log_ent_coef"])
        self._replay.restore(_below(tensors, "replay."), values["position"], values["full"])
        self._replay.baseline = values["baseline"]
        self._random.bit_generator.state = values["random"]
        self._learner._n_updates = values["updates"]

    def adopt(self, arrays: bytes) -> None:
        """Take over the networks of another agent, from its `state`; memory and optimisers stay as they are.

        Raises InvalidInput if its networks have other shapes.
        """
        given, own = _below(load(arrays), "policy."), self._learner.policy.state_dict()
        if {name: value.shape for name, value in given.items()} != {name: value.shape for name, value in own.items()}:
            raise InvalidInput(
                "the agent to learn from saw other features or has layers of another width; use the same algorithm "
                "with the same genome, objectives and `hidden`",
                field="learn_from",
            )
        self._learner.policy.load_state_dict(given)

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        found = {"actor": self._learner.actor.optimizer, "critic": self._learner.critic.optimizer}
        entropy = getattr(self._learner, "ent_coef_optimizer", None)
        return found if entropy is None else found | {"entropy": entropy}

    def _set_rates(self, optimizers: object) -> None:
        del optimizers  # the library passes those it is about to use
        for role, optimizer in self._optimizers().items():
            for group in optimizer.param_groups:
                group["lr"] = self.options.actor_rate if role == "actor" else self.options.critic_rate


def _flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's moments and step counts, by parameter's position and name."""
    state = optimizer.state_dict()["state"]
    return {f"{place}.{name}": value for place, values in state.items() for name, value in values.items()}


def _load_flat(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        place, field = name.split(".", 1)
        state.setdefault(int(place), {})[field] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
