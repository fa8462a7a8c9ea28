"""Devices on this machine, through the real command line: import, validate, advice, objectives by device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hw_models.devices import load_device
from paretrim import cli
from paretrim.cli import main
from tests.search import tiny


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is found in the user's home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path


def test_a_published_table_becomes_a_device_that_is_found_here(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        "{Regular,1,16,32,32,24,3,2,0} 0.031",
        "{Depthwise,1,64,14,14,64,3,1,0} 0.01",
        "{Regular,1,3,8,8,8,3,1,0} -1",
    ]
    (home / "conv.out").write_text("\n".join(lines))
    arguments = ["devices", "import", str(home / "conv.out"), "--format", "tinynas", "--name", "v100", "-o", "json"]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["rows"] == 2
    assert "1 entries say -1" in shown.err
    document = json.loads((home / "share" / "paretrim" / "devices" / "v100.json").read_text())
    assert load_device(document).name == "v100"


def test_what_cannot_be_imported_is_usage_and_leaves_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "table.pkl").write_bytes(b"\x80\x04]\x94.")
    for form, why in (("netadapt", "pickle"), ("excel", "tinynas")):
        assert main(["devices", "import", str(home / "table.pkl"), "--format", form]) == 2
        assert why in capsys.readouterr().err
    assert not list(home.glob("share/**/*.json"))


def test_a_formula_is_not_validated_and_that_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    assert main(["devices", "validate", "mcu-m4"]) == 2
    assert "ranks and ratios" in capsys.readouterr().err


def test_inspection_says_what_binds_and_what_that_suggests(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "model.onnx").write_bytes(tiny.model())
    assert main(["inspect", str(home / "model.onnx"), "--device", "mcu-m4", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]
    assert found["advice"]["binds"] == "compute"
    assert found["advice"]["objectives"][0] == "accuracy"
    assert "ranks and ratios" in found["claims"]
    assert main(["inspect", str(home / "model.onnx"), "--device", "mcu-m4"]) == 0
    shown = capsys.readouterr().out
    assert "suggested objectives" in shown
    assert "action 1" in shown


def test_objectives_are_chosen_by_the_device_if_asked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "model.onnx").write_bytes(tiny.model())
    tiny.dataset(home)
    arguments = [
        *("run", str(home / "model.onnx"), str(home / "digits.npz"), "--device", "mcu-m4", "--objectives", "auto"),
        *("--algorithms", "random", "--candidates", "4", "--deliver", "0", "--validation-samples", "100"),
        *("--executor", "inline", "--out", str(home / "out"), "--output", "json"),
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert "compute binds" in shown.err
    report = (home / "out" / "report.md").read_text()
    assert "peak_memory_bytes <= 655360" in report
    assert "ranks and ratios" in report


@pytest.mark.parametrize("module", ["torch", "scipy.optimize"])
def test_a_device_that_is_only_profiled_is_told_what_other_commands_need(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(cli, "app", without)
    assert main(["inspect", "model.onnx"]) == 2
    assert f"needs the module {module}: pip install" in capsys.readouterr().err
    module = "search.forgotten"
    with pytest.raises(ModuleNotFoundError):
        main(["inspect", "model.onnx"])
