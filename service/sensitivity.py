"""How much accuracy hangs on each group's channels and each layer's bits, as far as a job's candidates tell.

A ridge regression of the accuracies on what was removed from each group and how often the bits of each layer's weights
were halved; the penalty by generalised cross-validation (Golub, Heath & Wahba 1979). All searches' candidates are used,
so nothing is evaluated for it. How much it explains is told beside it, from residuals each left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from paretrim import wire_overview
from paretrim.network import Network
from service import heat
from service.plots import every
from service.tables import Candidate, Job, Search

Figures = npt.NDArray[np.float64]

FEWEST = 12  #: candidates, below which nothing is said
MOST = 1000  #: read; of a longer job, every k-th
PENALTIES = np.logspace(-3, 4, 29)
TENTH = 0.1


def sensitivity(session: Session, job: Job, network: Network) -> wire_overview.Sensitivity:
    """Accuracy lost with each tenth of a group's channels, and with each halving of a layer's weight bits."""
    features, accuracies = _table(session, job, network)
    groups = [group.name for group in network.prunable_groups]
    layers = [layer.name for layer in network.layers]
    names = [("channels", name) for name in groups] + [("bits", name) for name in layers]
    found: dict[str, list[wire_overview.Sensitive]] = {"channels": [], "bits": []}
    few = len(accuracies) < FEWEST or np.ptp(accuracies) == 0
    varied = np.array([], dtype=np.int64) if few else np.flatnonzero(np.ptp(features, axis=0) > 1e-9)
    if not len(varied):
        return wire_overview.Sensitivity(candidates=len(accuracies), explained=None, **found)
    slopes, errors, explained = ridge(features[:, varied], accuracies)
    producers = {group.name: list(group.producers) for group in network.prunable_groups}
    for place, slope, error in zip(varied, slopes, errors, strict=True):
        kind, name = names[place]
        unit = TENTH if kind == "channels" else 1.0
        found[kind].append(
            wire_overview.Sensitive(
                name=name,
                layers=producers[name] if kind == "channels" else [name],
                accuracy_lost=_short(-slope * unit),
                error=_short(error * unit),
            )
        )
    return wire_overview.Sensitivity(candidates=len(accuracies), explained=round(explained, 3), **found)


def _table(session: Session, job: Job, network: Network) -> tuple[Figures, Figures]:
    """(n, groups + layers): the share removed, halvings of the weight bits; and (n,) accuracies."""
    known = (Candidate.job_id == job.id, Candidate.accuracy.is_not(None))
    count = session.scalar(select(func.count()).where(*known)) or 0
    searches = session.scalar(select(func.count()).where(Search.job_id == job.id)) or 0
    stride = every(count, MOST, searches)
    found = session.execute(
        select(Candidate.policy, Candidate.accuracy).where(*known, Candidate.n % stride == 0).order_by(Candidate.n)
    ).all()
    read = _reader(network)
    rows = np.array([read(policy) for policy, _ in found], dtype=np.float64)
    width = len(network.prunable_groups) + len(network.layers)  # said aloud, as there may be no row yet
    return rows.reshape(len(found), width), np.array([accuracy for _, accuracy in found], dtype=np.float64)


def _reader(network: Network) -> Callable[[Mapping[str, Any]], list[float]]:
    kept, bits = heat.reader(network, "keep"), heat.reader(network, "weight_bits")

    def read(policy: Mapping[str, Any]) -> list[float]:
        halvings = np.log2(32 / np.maximum(1.0, bits(policy)))
        return [1 - share for share in kept(policy)] + [float(value) for value in halvings]

    return read


def ridge(features: Figures, values: Figures) -> tuple[Sequence[float], Sequence[float], float]:
    """Slopes of `values` along each feature, their standard errors, and the share of the variance explained.

    features: (n, k), each of which varies; values: (n,). The share is of residuals left out one by one, so it may be
    below 0, which says that nothing is known.
    """
    scale = features.std(axis=0)
    centred = (features - features.mean(axis=0)) / scale
    wanted = values - values.mean()
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    along = left.T @ wanted
    count = len(values)

    def shares(penalty: float) -> Figures:
        kept: Figures = singular**2 / (singular**2 + penalty)
        return kept

    def cross_validated(penalty: float) -> float:
        kept = shares(penalty)
        rest = wanted - left @ (kept * along)
        return float(rest @ rest / max(1e-9, count - 1 - kept.sum()) ** 2)

    penalty = min(PENALTIES, key=cross_validated)
    kept = shares(penalty)
    shrunk = np.where(singular > 0, kept / np.maximum(singular, 1e-12), 0.0)
    slopes = right.T @ (shrunk * along)
    rest = wanted - left @ (kept * along)
    noise = float(rest @ rest) / max(1.0, count - 1 - kept.sum())
    errors = np.sqrt(noise * ((right.T * shrunk) ** 2).sum(axis=1))
    own = 1 / count + (left**2 * kept).sum(axis=1)
    left_out = rest / np.maximum(1e-9, 1 - own)
    explained = 1 - float(left_out @ left_out) / float(wanted @ wanted)
    return (slopes / scale).tolist(), (errors / scale).tolist(), explained


def _short(value: float) -> float:
    return float(f"{value:.4g}")
