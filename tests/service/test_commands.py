"""`paretrim keys ...-local`, through the real command line, on a machine where nothing has run yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretrim.cli import main


def test_a_first_key_can_be_made_before_anything_has_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(tmp_path / "data")]
    assert main(["keys", "create-local", "laptop", *where]) == 0
    assert capsys.readouterr().out.startswith("paretrim_")
    assert main(["keys", "list-local", *where]) == 0
    assert "laptop" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["list-local"], ["revoke-local", "key_none"]])
def test_a_database_without_tables_is_told_of_with_the_remedy(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *command, "--data-dir", str(tmp_path / "data")]) == 2
    assert "paretrim migrate" in capsys.readouterr().err
