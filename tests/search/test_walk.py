import itertools

import numpy as np
import pytest
from stable_baselines3.common.env_checker import check_env

from hw_models.counts import macs
from paretrim.problem import Candidate, Policy
from search.space import Space
from search.walk import PREVIOUS, REDUCED, REST, Walk
from search.walk_environment import walk_environment
from tests.search.landscapes import Landscape, task
from tests.search.spaces import MIXED, mobilenet, plain, resnet, space


def _random_vector(found: Space, seed: int = 0) -> np.ndarray:
    policy = found.decode(np.random.default_rng(seed).random(found.size))
    return found.encode(policy)


@pytest.mark.parametrize("network", [plain(), resnet(), mobilenet()], ids=["plain", "resnet", "mobilenet"])
def test_reduced_and_rest_are_the_shares_of_macs_saved_and_still_to_come(network) -> None:  # type: ignore[no-untyped-def]
    found = space(network, ("macs_ratio <= 0.9",))
    walk, vector = Walk(found), _random_vector(found)
    whole = macs(network.sized(Policy()))
    for place, (turn, state) in enumerate(zip(walk.turns, walk.states(vector), strict=True)):
        decided = np.ones(found.size)
        for earlier in walk.turns[:place]:
            decided[earlier.coordinate] = vector[earlier.coordinate]
        sized = network.sized(found.decode(decided))
        layers = [layer.name for layer in network.layers]
        after = set(layers[layers.index(turn.layer) + 1 :])
        assert state[REDUCED] == pytest.approx(1 - macs(sized) / whole, abs=1e-6)
        assert state[REST] == pytest.approx(macs([op for op in sized if op.name in after]) / whole, abs=1e-6)


def test_what_an_actor_sees_is_what_is_rebuilt_from_its_decisions() -> None:
    found = space(resnet(), ("bops_ratio <= 0.9",), bits=MIXED)
    walk = Walk(found, aims=1)
    seen, rng = [], np.random.default_rng(0)

    def act(state: np.ndarray) -> float:
        seen.append(state)
        return float(rng.random())

    vector = walk.choose(act, [0.25])
    assert np.array_equal(np.stack(seen), walk.states(vector, [0.25]))
    assert np.all(np.stack(seen)[:, -1] == np.float32(0.25))
    assert np.array_equal(walk.vector(walk.actions(vector)), vector)


def test_widths_are_seen_with_the_papers_eleven_features() -> None:
    walk = Walk(space(resnet(), ("macs_ratio <= 0.5",)))
    assert walk.features == 11
    states = walk.states(np.full(12, 0.5))
    assert states.min() >= 0.0
    assert states.max() <= 1.0
    assert states[0, PREVIOUS] == 1.0
    assert np.all(states[1:, PREVIOUS] == 0.5)


def test_a_layer_decides_its_width_then_its_weights_bits_then_its_activations() -> None:
    found = space(plain((8, 16)), ("bops_ratio <= 0.9",), bits=MIXED)
    turns = Walk(found).turns
    ends = [("conv0", 0), ("conv0", 1)], [("fc", 1)]  # of the first and last layers 8 or 32 bits remain: one decision
    assert [(turn.layer, turn.kind) for turn in turns] == [*ends[0], *itertools.product(["conv1"], [0, 1, 2]), *ends[1]]
    assert sorted(turn.coordinate for turn in turns) == list(range(found.size))


def test_the_walk_is_an_environment_as_stable_baselines_wants_it() -> None:
    landscape = Landscape(space(plain((8, 16)), ("bops_ratio <= 0.2",), bits=MIXED))
    evaluated: list[Policy] = []

    def evaluate(policy: Policy) -> Candidate:
        evaluated.append(policy)
        return landscape.candidate(len(evaluated), policy)

    environment = walk_environment(task(landscape), evaluate)
    check_env(environment, warn=True)
    evaluated.clear()
    environment.reset(seed=0)
    for _ in range(landscape.space.size):
        _, reward, ended, _, info = environment.step(np.array([0.9], dtype=np.float32))
    assert ended
    assert reward == pytest.approx(landscape.accuracy(evaluated[-1]))
    assert landscape.space.fits(evaluated[-1])
    walk = Walk(landscape.space)
    assert landscape.space.decode(walk.vector(info["executed"])) == evaluated[-1]
