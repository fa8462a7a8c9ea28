"""The final: candidates close to the front are tuned briefly, and those that turn out best then are delivered.

Accuracy before fine-tuning foretells accuracy after it only roughly (`benchmarks/fidelity.py`), so whoever is a little
behind in the search may be ahead after it. Successive halving (Jamieson and Talwalkar, AISTATS 2016): the field is
tuned for a fraction of the job's epochs, the better half for twice as long, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from paretrim.problem import Measurement
from search.craft import CraftBasis, Workshop
from search.front import Front
from search.ledger import Ledger
from search.plan import JobPlan

#: rounds at most; the first tunes for this many halvings of the job's epochs, the last for half of them
MOST_ROUNDS = 3


def finalists(ledger: Ledger, count: int) -> tuple[int, ...]:
    """At most so many candidates by number: the front's members first, then those that lack least accuracy of it.

    What was dropped before the last row is out; the original needs no tuning.
    """
    front = ledger.front()
    whole = {
        n: c.measurement
        for n, c in ledger.candidates.items()
        if c.measurement is not None and front.feasible(c.measurement) and not _dropped(c.measurement)
    }
    lacking = {n: (_lacking(front, measurement), n not in front.members, n) for n, measurement in whole.items()}
    policies = {ledger.candidates[n].policy.key: n for n in sorted(lacking, key=lambda n: lacking[n], reverse=True)}
    return tuple(sorted(policies.values(), key=lambda n: lacking[n])[:count])


def play(plan: JobPlan, ledger: Ledger, basis: CraftBasis, workshop: Workshop) -> Front:
    """Tune the finalists in rounds, half of them going after each. Returns the front of those that are left.

    Its accuracies are those after tuning, on validation. Raises Interrupted.
    """
    field = finalists(ledger, plan.finalists)
    rounds = max(1, min(MOST_ROUNDS, len(field).bit_length() - max(1, plan.deliver).bit_length()))
    front = _front(plan, ledger, {})
    for turn in range(rounds):
        epochs = plan.finetune_epochs / 2 ** (rounds - turn)
        policies = {n: ledger.candidates[n].policy for n in field}
        tuned = {
            n: accuracy
            for n, accuracy in workshop.rehearse(basis, policies, epochs, ledger.recorder.wanted)
            if isinstance(accuracy, float)
        }
        if not tuned:
            return ledger.front()  # nothing can be tuned, so nothing is learnt: delivery says why
        front = _front(plan, ledger, tuned)
        order = sorted(tuned, key=lambda n: (_lacking(front, _tuned(ledger, n, tuned[n])), -tuned[n], n))
        said = ", ".join(f"{n}: {tuned[n]:.4f}" for n in order)
        ledger.recorder.log("info", f"final, round {turn + 1} of {rounds}, {epochs:g} epochs each: {said}")
        field = tuple(order[: max(plan.deliver, len(front), (len(order) + 1) // 2)])
    return front


def _front(plan: JobPlan, ledger: Ledger, tuned: Mapping[int, float]) -> Front:
    front = Front(plan.objectives, plan.constraints, ledger.original)
    for n, accuracy in sorted(tuned.items()):
        front.add(n, _tuned(ledger, n, accuracy))
    return front


def _tuned(ledger: Ledger, n: int, accuracy: float) -> Measurement:
    measurement = ledger.candidates[n].measurement
    assert measurement is not None  # finalists were measured
    return replace(measurement, accuracy=accuracy)


def _lacking(front: Front, measurement: Measurement) -> float:
    """By how much the best member that costs no more is more accurate; 0 for members."""
    best = front.best_within(measurement)
    return 0.0 if best is None else max(0.0, best - measurement.value("accuracy"))


def _dropped(measurement: Measurement) -> bool:
    found = measurement.obtained.get("accuracy")
    return found is not None and found.where.endswith("dropped")
