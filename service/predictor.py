"""The program that answers "best under X" from a job's candidates: `python -m service.predictor < QUESTION`.

The web process loads no numerics; this does, for one question, with bounded memory and time. It prints one JSON object:
`{"predicted": {...} | null}`, `{"infeasible": ..., "reachable": {...}}` or `{"invalid": ..., "field": ...}`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from service.inspector import enter_jail


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """The policy that the job's candidates speak for most, within the constraints; None if nothing can be said."""
    from compressors import PackedSizes
    from paretrim.compression import Compression
    from paretrim.errors import Infeasible, InvalidInput, NotMeasured
    from paretrim.network import Network
    from paretrim.problem import Budget, Candidate, Constraint, Measurement, Objective, Policy, Provenance
    from search.explore import SearchSetting
    from search.plan import JobPlan
    from search.query import asked_space, best_under

    original = Measurement.from_json(question["original"])
    sizes = question["packed_sizes"]
    setting = SearchSetting(
        Network.from_json(question["network"]),
        question["device"],
        original,
        Provenance("measured", "validation split"),
        sizes=None if sizes is None else PackedSizes.from_json(sizes),
    )
    compression = Compression.from_json(question["compression"])
    plan = JobPlan("question", (), (Objective("accuracy"),), (), Budget(1), compression=compression)
    constraints = [Constraint.parse(text) for text in question["constraints"]]
    candidates = {
        entry["n"]: Candidate(i, Policy.from_json(entry["policy"]), Measurement.from_json(entry["measurement"]))
        for i, entry in enumerate(question["candidates"])
    }
    try:
        space = asked_space(setting.space(plan), constraints)
        found = best_under(candidates, original, constraints, space, seed=question["seed"])
    except Infeasible as error:
        return {"infeasible": str(error), "reachable": error.reachable}
    except (InvalidInput, NotMeasured) as error:
        return {"invalid": str(error), "field": getattr(error, "field", None)}
    predicted = [one.to_json() for one in found if one.source == "predicted"]
    return {"predicted": predicted[0] if predicted else None}


def main(arguments: list[str]) -> int:
    """Answer the question on standard input."""
    memory_bytes, cpu_seconds = arguments
    enter_jail(int(memory_bytes), int(cpu_seconds))
    json.dump(answer(json.load(sys.stdin)), sys.stdout, allow_nan=False)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)  # torch's threads are not worth waiting for
