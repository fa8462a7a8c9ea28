"""What a search has learned: how much of each group it keeps, and at how many bits, from generation to generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from paretrim import wire_overview
from paretrim.network import Network
from service.tables import Candidate, Job, Search

What = Literal["keep", "weight_bits", "activation_bits"]
MOST_POLICIES = 1200  #: read for one map; of a longer search, every k-th

Figures = npt.NDArray[np.float64]


def heat_map(
    session: Session, job: Job, search: Search, network: Network, what: What, columns: int
) -> wire_overview.HeatMap:
    """Means over at most `columns` runs of consecutive candidates, for every group or layer in execution order."""
    names = rows(network, what)
    count = session.scalar(select(func.count()).where(Candidate.search_id == search.id)) or 0
    stride = max(1, -(-count // MOST_POLICIES))
    wanted = select(Candidate.index, Candidate.policy).where(Candidate.search_id == search.id)
    read = reader(network, what)
    found = session.execute(wanted.where(Candidate.index % stride == 0).order_by(Candidate.index)).all()
    figures = np.array([read(policy) for _, policy in found], dtype=np.float64).reshape(len(found), len(names))
    window = max(int(job.request["window"]), -(-count // columns))
    values, spans = means([index for index, _ in found], figures, window)
    chosen = session.scalars(select(Candidate.policy).where(Candidate.job_id == job.id, Candidate.on_front.is_(True)))
    front = np.array([read(policy) for policy in chosen], dtype=np.float64).reshape(-1, len(names))
    return wire_overview.HeatMap(
        search=search.id,
        what=what,
        rows=names,
        spans=spans,
        values=[[round(value, 4) for value in row] for row in values.T.tolist()],
        front=[round(value, 4) for value in front.mean(axis=0).tolist()] if len(front) else None,
    )


def rows(network: Network, what: What) -> list[str]:
    """What the rows stand for: groups that may shrink, or layers."""
    if what == "keep":
        return [group.name for group in network.prunable_groups]
    return [layer.name for layer in network.layers]


def reader(network: Network, what: What) -> Callable[[Mapping[str, Any]], list[float]]:
    """From a policy as it is stored to a figure for every row. What is not named is unchanged."""
    if what == "keep":
        units = {group.name: group.units for group in network.prunable_groups}

        def kept(policy: Mapping[str, Any]) -> list[float]:
            keep = policy["keep"]
            return [_share(keep.get(name, 1.0), count) for name, count in units.items()]

        return kept
    side = 0 if what == "weight_bits" else 1
    layers = [layer.name for layer in network.layers]

    def bits(policy: Mapping[str, Any]) -> list[float]:
        given = policy["bits"]
        return [float(given[name][side]) if name in given else 32.0 for name in layers]

    return bits


def _share(choice: float | list[int], units: int) -> float:
    return len(choice) / units if isinstance(choice, list) else float(choice)


def means(indices: Sequence[int], figures: Figures, window: int) -> tuple[Figures, list[tuple[int, int]]]:
    """Mean of each run of `window` candidates.

    indices: (n,) rising; figures: (n, rows). Returns (runs, rows) and the first and last index of each run.
    """
    if not len(indices):
        return figures, []
    run_of = np.asarray(indices) // window
    runs = np.unique(run_of)
    values = np.stack([figures[run_of == run].mean(axis=0) for run in runs])
    last = indices[-1]
    return values, [(int(run) * window, min(last, (int(run) + 1) * window - 1)) for run in runs]
