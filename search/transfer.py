"""What a search can take over from an earlier one: candidates on the same network, an agent's networks on another.

Candidates keep their accuracies; what they cost is asked of the device at hand, so that a search on one device begins
where a search on another ended. The best of them are evaluated anew, first of all: they are this search's candidates
then, and may be on its front. The others are only learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from paretrim.errors import InvalidInput, InvalidPolicy, NotMeasured
from paretrim.problem import Candidate, Constraint, Measurement, Objective, Policy
from search.front import Front
from search.space import Space


def transferred(known: Sequence[Candidate], space: Space) -> list[Candidate]:
    """The measured candidates whose policies this network can have, with what they cost here.

    Raises InvalidInput if there are none.
    """
    taken: list[Candidate] = []
    for candidate in known:
        if candidate.measurement is None or candidate.measurement.accuracy is None:
            continue
        try:
            space.network.check(candidate.policy)
            costs = space.measure(candidate.policy)
        except (InvalidPolicy, NotMeasured):
            continue
        obtained = {**costs.obtained, **candidate.measurement.obtained}
        measured = replace(costs, accuracy=candidate.measurement.accuracy, obtained=obtained)
        taken.append(replace(candidate, index=len(taken), measurement=measured))
    if not taken:
        raise InvalidInput(
            f"none of the {len(known)} candidates to learn from fits this network and device; learn from a job on the "
            "same model",
            field="learn_from",
        )
    return taken


def split(
    taken: Sequence[Candidate],
    space: Space,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    original: Measurement,
    most: int,
) -> tuple[list[Policy], list[Candidate]]:
    """At most so many policies to evaluate first, spread over the front that the candidates make here; and the rest."""
    front = Front(objectives, constraints, original)
    front.extend((c.index, c) for c in taken if space.fits(c.policy))
    numbers = front.numbers
    if len(numbers) > most:
        places = {round(i * (len(numbers) - 1) / max(1, most - 1)) for i in range(most)}
        numbers = tuple(numbers[place] for place in sorted(places))
    first = list(dict.fromkeys(taken[n].policy for n in numbers))
    again = set(first)
    return first, [candidate for candidate in taken if candidate.policy not in again]
