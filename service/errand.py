"""What a dispatcher tells a worker, and what the worker's exit status tells the dispatcher."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Literal

from service.jobs import Fence

DONE = 0  #: the job's new state is written
BROKEN = 70  #: an exception that nobody foresaw
LOST = 75  #: the lease was lost: nothing was written, and nothing may be


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is sent to do."""

    database_url: str
    data_dir: str
    job_id: str
    attempt: int
    owner: str
    lease_seconds: float
    executor: Literal["ray", "inline"] = "ray"
    candidate: int | None = None  #: deliver this candidate of the job, and do nothing else

    @property
    def fence(self) -> Fence:
        """What it must hold to write."""
        return Fence(self.job_id, self.attempt, self.owner)

    def dump(self) -> bytes:
        """For standard input."""
        return json.dumps(dataclasses.asdict(self)).encode()
