"""One candidate made real because somebody wants it, whether it is on the front or not."""

from __future__ import annotations

from dataclasses import replace

from paretrim.errors import InvalidInput, JobFailed, ParetrimError
from paretrim.problem import Measurement
from search.deliver import deliver
from search.evaluate import single_thread
from search.front import Front
from search.ledger import Ledger
from search.memory import keep_freed_memory
from search.plan import JobInputs, JobPlan, Recorder
from search.prepare import prepare


class _Single(Ledger):
    """A job whose front is one candidate, within no constraint."""

    def __init__(self, plan: JobPlan, original: Measurement, recorder: Recorder, n: int) -> None:
        self._n = n
        super().__init__(plan, original, recorder)

    def front(self) -> Front:
        """Of that candidate alone."""
        candidate = self.candidates.get(self._n)
        if candidate is None or candidate.measurement is None:
            raise InvalidInput(f"candidate {self._n} was not measured, so there is nothing to deliver", field="n")
        front = Front(self.plan.objectives, (), self.original)
        front.add(self._n, candidate.measurement)
        return front


def deliver_single(plan: JobPlan, inputs: JobInputs, recorder: Recorder, n: int) -> None:
    """Fine-tune, export and measure candidate `n` of a job, from its records, as members of the front are.

    Raises JobFailed if it cannot be made, Interrupted, LeaseLost.
    """
    keep_freed_memory()
    try:
        with single_thread():
            prepared = prepare(plan, inputs, recorder)
            ledger = _Single(plan, prepared.original, recorder, n)
            deliver(replace(plan, deliver=1), inputs, prepared, ledger)
    except JobFailed:
        raise
    except ParetrimError as error:
        raise JobFailed(str(error), code="export_failed") from error
