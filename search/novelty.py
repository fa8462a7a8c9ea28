"""Chance and memory of an algorithm: a random state that can be written down, and no policy proposed twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from paretrim.errors import SearchExhausted
from paretrim.problem import Policy
from search.space import Space

#: draws of the algorithm's own before its last one is varied instead
DRAWS = 8

#: variations of it, further and further away, before the space is taken to be used up
VARIATIONS = 96

#: spaces with no more points than this are gone through one by one before giving up
COUNTABLE = 4096

#: of a policy's key; two of a million policies agree in it with a chance below 1e-7
KEY_DIGITS = 16


class Seen:
    """Policies that were proposed or told."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def add(self, policy: Policy) -> None:
        """From now on the policy is not new."""
        self._keys.add(policy.key[:KEY_DIGITS])

    def __contains__(self, policy: Policy) -> bool:
        return policy.key[:KEY_DIGITS] in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def state(self) -> list[str]:
        """As JSON."""
        return sorted(self._keys)

    def load_state(self, state: Sequence[str]) -> None:
        """The inverse of `state`."""
        self._keys = set(state)


def something_new(
    draw: Callable[[], Policy],
    space: Space,
    seen: Seen,
    rng: np.random.Generator,
    limits: Mapping[str, float] | None,
    draws: int = DRAWS,
) -> Policy:
    """The first policy drawn that was not seen; if there is none, a variation of the last one. Marked as seen.

    limits: what variations are projected onto beside the constraints, as long as that gives anything new; draws: how
    many before variations begin. Raises SearchExhausted.
    """
    for policy in _attempts(draw, space, rng, limits, draws):
        if policy not in seen:
            seen.add(policy)
            return policy
    raise SearchExhausted(f"all policies that were found have been proposed: {len(seen)}")


def _attempts(
    draw: Callable[[], Policy],
    space: Space,
    rng: np.random.Generator,
    limits: Mapping[str, float] | None,
    draws: int,
) -> Iterator[Policy]:
    policy = draw()
    yield policy
    for _ in range(draws - 1):
        policy = draw()
        yield policy
    for walls in (limits, None) if limits else (None,):  # limits close to the least cost hold few policies
        for attempt in range(VARIATIONS):
            share = max(1 / space.size, (attempt + 1) / VARIATIONS)
            yield space.project(varied(policy, space, rng, share), walls, fill=None if attempt % 2 else False)
    if math.prod(knob.levels for knob in space.free_knobs) <= COUNTABLE:
        yield from (space.project(policy, None, fill=False) for policy in every_policy(space))


def varied(policy: Policy, space: Space, rng: np.random.Generator, share: float) -> Policy:
    """The policy with about this share of its coordinates, but at least one, drawn anew."""
    vector = space.encode(policy)
    changed = rng.random(space.size) < share
    changed[rng.integers(space.size)] = True
    return space.decode(np.where(changed, rng.random(space.size), vector))


def every_policy(space: Space) -> Iterator[Policy]:
    """All policies of a space, whatever they cost. Mind how many there are."""
    knobs = space.free_knobs
    for levels in itertools.product(*(range(knob.levels) for knob in knobs)):
        yield space.decode(
            [coordinate for knob, level in zip(knobs, levels, strict=True) for coordinate in knob.encode(level)]
        )


def rng_state(rng: np.random.Generator) -> dict[str, Any]:
    """As JSON; its long integers as text, which every database keeps."""
    state = rng.bit_generator.state
    numbers = {name: str(value) for name, value in state["state"].items()}
    return {**state, "state": numbers}


def load_rng_state(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    """The inverse of `rng_state`."""
    rng.bit_generator.state = {**state, "state": {name: int(value) for name, value in state["state"].items()}}
