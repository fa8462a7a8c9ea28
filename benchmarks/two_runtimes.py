"""How far the tables of two runtimes on the same machine are apart: OpenVINO against ONNX Runtime, the baseline.

    OMP_NUM_THREADS=1 python -m benchmarks.two_runtimes [FOLDER]

Needs `openvino`. Takes a quick table under each, keeps both in FOLDER if there is one (interrupted, the same command goes
on where it was), and prints by kind of operation and precision the median ratio of rows that both have, then random
networks timed under both, with the ratio that the tables predict.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hw_models.device import compose
from hw_models.families import draw
from hw_models.graph import write_graph
from hw_models.lowering import lower
from hw_models.measure import time_onnx
from hw_models.precision import at_kernel_bits
from hw_models.profiler import profile_host
from hw_models.runtimes import ONNX_RUNTIME, OPENVINO, check_runtime
from hw_models.table import TableDevice
from hw_models.units import Unit

NETWORKS = [
    (family, precision, seed)
    for family in ("plain", "resnet", "mobilenet")
    for precision in ("fp32", "int8")
    for seed in (101, 102, 103)
]


def main() -> None:
    check_runtime(OPENVINO)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        tables = {name: TableDevice(_table(name, folder)) for name in (ONNX_RUNTIME, OPENVINO)}
    base, other = ({_key(unit): row.latency_us for unit, row in tables[name].rows.items()} for name in tables)
    by_kind: dict[str, list[float]] = {}
    for key in base.keys() & other.keys():
        by_kind.setdefault(str(key[0]), []).append(other[key] / base[key])
    print("kind of operation          rows   openvino / onnxruntime (median, 10 % and 90 %)")
    for kind, ratios in sorted(by_kind.items()):
        if len(ratios) >= 4:
            tenths = statistics.quantiles(ratios, n=10)
            print(
                f"{kind:26} {len(ratios):5d}   {statistics.median(ratios):.2f}  ({tenths[0]:.2f} to {tenths[-1]:.2f})"
            )
    print("network                    measured ms (ONNX Runtime, OpenVINO), ratio   predicted ratio")
    errors: dict[str, list[float]] = {name: [] for name in tables}
    for family, precision, seed in NETWORKS:
        operations = draw(family, seed, precision=precision, hw=(24, 24))  # type: ignore[arg-type]
        measured, predicted = {}, {}
        for name, device in tables.items():
            content = write_graph(at_kernel_bits(operations, device.execution))
            measured[name] = time_onnx(content, rounds=20, runtime=name).latency_ms
            predicted[name] = compose(device, lower(operations, device.execution)).latency_ms
            errors[name].append(abs(math.log(predicted[name] / measured[name])))
        ratio, guess = (times[OPENVINO] / times[ONNX_RUNTIME] for times in (measured, predicted))
        label = f"{family} {precision} {seed}"
        print(f"{label:26} {measured[ONNX_RUNTIME]:.3f} {measured[OPENVINO]:.3f}  {ratio:.2f}   {guess:.2f}")
    for name, found in errors.items():
        print(f"{name}: predictions off by {math.expm1(statistics.median(found)):.1%} (median), as the table stands")


def _table(name: str, folder: Path) -> dict[str, Any]:
    path = folder / f"{name}.json"
    if not path.is_file():
        begin = time.perf_counter()
        document = profile_host(name=f"host-{name}", runtime_name=name, journal=folder / f"{name}.part")
        path.write_text(json.dumps(document))
        noise = document["noise"]
        print(
            f"{name}: {len(document['rows'])} rows in {time.perf_counter() - begin:.0f} s, repeat error"
            f" {noise['repeat_error']:.1%}, kernels nobody expected {noise['unexpected_kernels']}, units without one"
            f" {noise['units_without_kernel']}, calibration error {document['calibration']['mean_error']:.1%}"
        )
    return dict(json.loads(path.read_text()))


def _key(unit: Unit) -> tuple[object, ...]:
    """What both runtimes agree on: an operation and its shapes, whatever runs inside it and in whatever layout."""
    shapes = (unit.in_channels, unit.out_channels, unit.in_hw, unit.out_hw, unit.kernel, unit.stride, unit.groups)
    return (unit.family, *shapes, "add" in unit.fused)


if __name__ == "__main__":
    main()
