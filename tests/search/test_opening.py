"""Where searches begin: uniform policies that the device has, the nearest to the budget first."""

from __future__ import annotations

import pytest

from paretrim.problem import Bits, Policy
from search.opening import equal_bits, openings
from tests.search.spaces import INT8, MIXED, PaperCosts, plain, space

#: any width of weights, activations of 8 bits, as where only storage counts
STORED = tuple(Bits(width, 8) for width in range(2, 9))


def test_every_width_of_weights_goes_with_the_activations_there_are() -> None:
    assert equal_bits(space(bits=STORED, constraints=("size_ratio <= 0.2",))) == list(reversed(STORED))


def test_weights_and_activations_are_equally_wide_where_that_is_legal() -> None:
    pairs = equal_bits(space(bits=MIXED, constraints=("bops_ratio <= 0.02",)))
    assert pairs == [Bits(32, 32), *(Bits(width, width) for width in range(8, 1, -1))]


@pytest.mark.parametrize("width", range(2, 8))
def test_a_search_of_bits_begins_with_the_widest_uniform_bits_that_meet_the_budget(width: int) -> None:
    network = plain()
    layers = [layer.name for layer in network.layers]
    uniform = {name: INT8 if name in network.end_layers else Bits(width, 8) for name in layers}
    limit = PaperCosts(network).measure(Policy(bits=uniform)).size_bytes
    found = space(bits=STORED, constraints=(f"size_bytes <= {limit}",)).restricted("bits")
    assert openings(found)[0].bits == uniform


def test_budgets_between_two_widths_are_used_up() -> None:
    found = space(bits=STORED, constraints=("size_ratio <= 0.11",)).restricted("bits")
    first = openings(found)[0]
    assert found.fits(first)
    assert {bits.weight for bits in first.bits.values()} > {3}
