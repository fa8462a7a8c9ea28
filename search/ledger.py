"""What a job has so far, kept in one process: passes on what searches did to the recorder, keeps the job's front."""

from __future__ import annotations

from collections.abc import Sequence

from paretrim.problem import Candidate, Measurement
from search.explore import Ended, Step, Window
from search.front import Front
from search.plan import JobPlan, Recorded, Recorder, SearchEnd, SearchPlan


class Ledger:
    """Takes the steps of all searches of a job, in the order in which they happen."""

    def __init__(self, plan: JobPlan, original: Measurement, recorder: Recorder) -> None:
        self.plan = plan
        self.original = original
        self.recorder = recorder
        self.candidates: dict[int, Candidate] = {}  #: by number within the job; without the original
        self.ends: dict[str, SearchEnd] = {}  #: of searches that are over
        self.messages: dict[str, str] = {}  #: why those that failed did
        self._so_far: dict[str, Recorded] = {}
        for search in plan.searches:
            recorded = self._so_far[search.id] = recorder.recorded(search.id)
            self._keep(search, recorded.candidates)
            if recorded.end is not None:
                self.ends[search.id] = recorded.end
        self._front = self.front()

    def open_searches(self) -> list[SearchPlan]:
        """Those that are not over, in order of position."""
        return [search for search in self.plan.searches if search.id not in self.ends]

    def take(self, search: SearchPlan, step: Step) -> None:
        """Record what a search did. Raises LeaseLost."""
        if isinstance(step, Ended):
            self.ends[search.id] = step.end
            if step.end == "failed":
                self.messages[search.id] = step.message or "no reason was given"
            self.recorder.search_ended(search, step.end, step.message)
        else:
            self._take_window(search, step)
        self.report()

    def report(self) -> None:
        """Say how far the searches are. A search that is over counts in full."""
        each = self.plan.budget.candidates
        done = sum(each if id_ in self.ends else len(so_far.candidates) for id_, so_far in self._so_far.items())
        self.recorder.progress("searching", done, each * len(self.plan.searches))

    def front(self) -> Front:
        """Of all candidates and the original, added in order of their numbers: the same however the job ran."""
        front = Front(self.plan.objectives, self.plan.constraints, self.original)
        front.add(0, self.original)
        front.extend(sorted(self.candidates.items()))
        return front

    def so_far(self, search: SearchPlan) -> Recorded:
        """All that was recorded of a search, now or on an earlier attempt: where it can be taken up."""
        return self._so_far[search.id]

    def _take_window(self, search: SearchPlan, window: Window) -> None:
        self.recorder.record(search, window.candidates, window.curve, window.checkpoint)
        self.recorder.spent(window.cpu_seconds)
        self._keep(search, window.candidates)
        candidates = (*self._so_far[search.id].candidates, *window.candidates)
        self._so_far[search.id] = Recorded(candidates, window.checkpoint, seconds=window.curve[-1].seconds)
        if self._front.extend((self.plan.number(search.position, c.index), c) for c in window.candidates):
            self.recorder.front(self._front.numbers, self._front.hypervolume, self._front.best)

    def _keep(self, search: SearchPlan, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            self.candidates[self.plan.number(search.position, candidate.index)] = candidate
