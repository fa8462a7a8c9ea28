import numpy as np
import pytest
import torch

from compressors import Compressor, collect_statistics, describe, read_onnx
from paretrim.network import Network
from paretrim.problem import Policy
from search.evaluate import single_thread
from search.foresight import Damages, foresee
from search.opening import foreseen, openings
from search.surrogate import Additive
from tests.search import tiny
from tests.search.landscapes import DENSE, Landscape, drive, make, task
from tests.search.spaces import MIXED, plain, resnet, space


@pytest.fixture(scope="module", params=[True, False], ids=["classes", "other outputs"])
def measured(request: pytest.FixtureRequest) -> tuple[Network, Damages]:
    imported = read_onnx(tiny.model())
    network, rows = describe(imported), torch.from_numpy(tiny.digits()["train_x"][:128])
    with single_thread():
        compressor = Compressor(imported, network, collect_statistics(imported, network, rows))
        return network, foresee(compressor, imported.module, network, rows, classes=request.param)


def test_every_group_is_foreseen_and_losing_more_never_costs_less(measured: tuple[Network, Damages]) -> None:
    network, damages = measured
    assert damages.keys() == {group.name for group in network.free_groups}
    for group in network.free_groups:
        losses = damages[group.name]
        assert len(losses) == group.units
        assert losses[0] == 0.0 < losses[-1]
        assert np.all(np.diff(losses) >= 0)


def _lopsided(constraints: tuple[str, ...] = ("macs_ratio <= 0.5",), bits: tuple = MIXED) -> tuple:  # type: ignore[type-arg]
    """A space, and losses by which one group of it must not be touched."""
    found = space(resnet(1), constraints, ("accuracy",), bits)
    units = {group.name: group.units for group in found.network.free_groups}
    damages = {name: tuple(1e-3 * lost for lost in range(count)) for name, count in units.items()}
    damages["s1b0.inner"] = tuple(10.0 * lost for lost in range(units["s1b0.inner"]))
    return found, damages


@pytest.mark.parametrize("constraint", ["macs_ratio <= 0.5", "bops_ratio <= 0.05", "size_ratio <= 0.2"])
def test_what_is_foreseen_to_matter_is_kept_within_the_budget(constraint: str) -> None:
    found, damages = _lopsided((constraint,))
    policies = foreseen(found, damages, {})
    assert policies
    for policy in policies:
        assert found.fits(policy)
        assert found.is_legal(policy)
        assert found.counts(policy)["s1b0.inner"] == found.network.group_by_name["s1b0.inner"].units
    assert policies[0] not in openings(found)


def test_where_nothing_is_foreseen_the_uniform_policies_are_all() -> None:
    assert foreseen(space(plain(), ("macs_ratio <= 0.5",)), {}, {}) == []


def test_the_model_begins_with_what_is_foreseen_and_candidates_correct_it() -> None:
    found, damages = _lopsided()
    model = Additive(found, DENSE, damages)
    place = [knob.name for knob in found.free_knobs].index("s1b0.inner")
    worst = [float(losses.max()) for losses in model.damages()]
    assert worst.index(max(worst)) == place
    landscape = Landscape(found, coupling=0.0)
    rng = np.random.default_rng(0)
    model.fit([landscape.candidate(i, found.project(found.decode(rng.random(found.size)))) for i in range(120)])
    fresh = [found.project(found.decode(rng.random(found.size))) for _ in range(40)]
    guessed = model.accuracy([found.levels(policy) for policy in fresh])
    assert np.corrcoef(guessed, [landscape.accuracy(policy) for policy in fresh])[0, 1] > 0.7


@pytest.mark.parametrize("name", ["greedy", "ilp", "portfolio"])
def test_searches_that_reckon_begin_with_what_is_foreseen(name: str) -> None:
    found, damages = _lopsided()
    landscape = Landscape(found)
    about = task(landscape, candidates=4)
    informed = type(about)(**{**vars(about), "damages": damages})
    first: Policy = drive(make(name, informed), landscape, 1)[0].policy
    assert first == foreseen(found.restricted("joint"), damages, {})[0]
    assert drive(make(name, about), landscape, 1)[0].policy == openings(found.restricted("joint"))[0]
