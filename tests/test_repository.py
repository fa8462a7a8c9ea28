"""Rules that hold for the whole tree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("sdk/paretrim", "service", "search", "agents", "compressors", "hw_models", "migrations")


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_nothing_can_be_unpickled() -> None:
    """Uploads, checkpoints and tables are data; see docs/decisions."""
    forbidden = re.compile(
        r"torch\.load\(|allow_pickle=True|\bimport pickle\b|\bcloudpickle\b|\bjoblib\.load|\bmarshal\.loads"
    )
    found = [str(path) for path in _sources() if forbidden.search(path.read_text())]
    assert found == []


def test_ray_is_imported_in_searchs_ray_files_only() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if any(name.split(".")[0] == "ray" for name in _imports(path))
    }
    assert all(re.fullmatch(r"search/ray_\w+\.py", name) for name in found), found
    assert found, "no file imports ray: the rule checks nothing"


def test_no_file_is_named_after_nothing() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)(_|\.|$)")
    assert [str(path) for path in _sources() if vague.search(path.name)] == []


def test_only_the_command_line_prints() -> None:
    found = []
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{path}:{node.lineno}")
    assert found == []


def test_chance_is_always_an_argument() -> None:
    """No module draws from numpy's or Python's global state."""
    global_draw = re.compile(
        r"\bnp\.random\.(?!default_rng|Generator|SeedSequence|PCG64|RandomState)\w+\(|\bdefault_rng\(\)"
    )
    found = [str(path) for path in _sources() if global_draw.search(path.read_text())]
    assert found == []


def test_every_decision_has_context_decision_and_consequence() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert re.match(r"\d{4}-[a-z0-9-]+\.md", page.name), page.name
        for word in ("Context", "Decision", "Consequence"):
            assert word in text, f"{page.name} lacks its {word}"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(p.name for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = ROOT / page if (ROOT / page).exists() else ROOT / "docs" / page
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_web_process_loads_neither_torch_nor_ray() -> None:
    heavy = "{'torch', 'ray', 'search', 'onnxruntime', 'sklearn'}"
    code = f"import sys, service.app; sys.stdout.write(str(sorted({heavy} & set(sys.modules))))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
