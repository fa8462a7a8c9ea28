"""What the package is to the outside: light, complete, and as the service speaks."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import paretrim
from paretrim import AsyncClient, Client, errors
from tests.paretrim.conftest import Live

ROOT = Path(__file__).parent.parent.parent
HEAVY = {"torch", "ray", "numpy", "fastapi", "sqlalchemy", "onnx", "onnxruntime", "plotly", "scipy"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `code`."""
    program = f"import sys\n{code}\nsys.stdout.write(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_importing_everything_public_loads_nothing_heavy() -> None:
    code = "import paretrim\nfor name in paretrim.__all__: getattr(paretrim, name)\nClient = paretrim.Client()"
    loaded = loaded_by(code)
    assert "httpx2" in loaded
    assert loaded & (HEAVY | {"typer", "rich"}) == set()


def test_the_words_alone_load_no_client() -> None:
    assert loaded_by("import paretrim.problem, paretrim.network") & {"httpx2", "pydantic", "typer"} == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["jobs", "--help"], ["--version"], ["submit", "--help"], ["front", "--help"], ["download", "x"]],
)
def test_the_command_line_loads_nothing_heavy_for_what_needs_nothing_heavy(arguments: list[str]) -> None:
    """`serve` and `run` are listed by --help and not loaded for it; a command over HTTP loads no room."""
    code = (
        "import io, contextlib, os\nos.environ['PARETRIM_URL'] = 'http://127.0.0.1:9'\n"
        "from paretrim import _flow; _flow.FIRST_PAUSE_SECONDS = 0\nfrom paretrim.cli import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): main({arguments!r})"
    )
    assert loaded_by(code) & (HEAVY | {"service", "search", "compressors"}) == set()


def test_all_is_complete_and_sorted() -> None:
    assert paretrim.__all__ == sorted(paretrim.__all__, key=str)
    for name in paretrim.__all__:
        assert getattr(paretrim, name).__name__ == name
    public = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    assert public <= set(paretrim.__all__)
    assert set(paretrim.__all__) <= set(dir(paretrim))


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "sdk/paretrim/__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(paretrim.__all__)
    assert (ROOT / "sdk/paretrim/py.typed").exists()


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Clint"):
        _ = paretrim.Clint


def test_the_version_is_the_distributions() -> None:
    for project in ("sdk/pyproject.toml", "pyproject.toml"):
        assert tomllib.loads((ROOT / project).read_text())["project"]["version"] == paretrim.__version__


def test_the_error_tree_in_the_docstring_is_the_real_one() -> None:
    drawn = set(re.findall(r"\b[A-Z][A-Za-z]+\b(?=  |\n| \d)", errors.__doc__ or ""))
    real = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    assert real <= drawn | {"ServerError", "Unauthorized", "Forbidden", "NotFound", "TooLarge", "Unprocessable"}


#: operations that no method of the client is for, and why
WITHOUT_METHOD = {
    "results-export-candidates": "`job.candidates()` and `paretrim jobs candidates --output csv` give the same",
    "health-healthz": "for load balancers",
    "health-readyz": "for load balancers",
    "health-get-metrics": "for Prometheus",
}


#: operations of the design that a service may not have yet
COMING = {("POST", "/jobs/{}/candidates/{}/export")}


def _operations(live: Live) -> dict[str, tuple[str, str]]:
    import httpx2

    document = httpx2.get(f"{live.url}/api/v1/openapi.json").json()
    return {
        operation["operationId"]: (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def _calls() -> set[tuple[str, str]]:
    """Method and path of every `Call` and `Listing` in the client's source; what is not a literal in a path is {}."""
    found: set[tuple[str, str]] = set()
    for file in sorted((ROOT / "sdk/paretrim").glob("_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "Call" and isinstance(node.args[0], ast.Constant):
                found |= {(str(node.args[0].value), where) for where in _written(node.args[1])}
            elif node.func.id == "Listing":
                found |= {("GET", where) for where in _written(node.args[0])}
    return found


def _written(where: ast.expr) -> list[str]:
    """A path as the source has it. One that begins with a variable is of models and of datasets."""
    if not isinstance(where, ast.Call):
        return []  # `self.path` of a listing, which is counted where the listing is made
    parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in where.args]
    heads = ["models", "datasets"] if parts[0] == "{}" else [parts[0]]
    return ["/" + "/".join([head, *parts[1:]]) for head in heads]


def _matches(call: str, template: str) -> bool:
    ours, theirs = call.split("/"), re.sub(r"\{[^}]*\}", "{}", template).split("/")
    return len(ours) == len(theirs) and all(a in (b, "{}") for a, b in zip(ours, theirs, strict=True))


def test_every_operation_of_the_service_is_reachable_from_the_client(live: Live) -> None:
    calls = _calls()
    missing = {
        name
        for name, (method, template) in _operations(live).items()
        if not any(verb == method and _matches(path, template) for verb, path in calls)
    }
    assert missing == set(WITHOUT_METHOD)


def test_the_client_calls_nothing_that_the_service_lacks(live: Live) -> None:
    """Of each path, as many segments as the service's, so that what is {} here may be a name or an id there."""
    operations = _operations(live).values()
    unknown = {call for call in _calls() if not any(m == call[0] and _matches(call[1], t) for m, t in operations)}
    assert unknown <= COMING


def test_what_the_service_answers_is_what_the_wire_says(live: Live) -> None:
    """The OpenAPI document's schemas are those of `paretrim.wire`: a change on either side is seen here."""
    import httpx2
    from pydantic import BaseModel

    from paretrim import wire

    schemas = httpx2.get(f"{live.url}/api/v1/openapi.json").json()["components"]["schemas"]
    ours = {name: kind for name, kind in vars(wire).items() if inspect.isclass(kind) and issubclass(kind, BaseModel)}
    compared = 0
    for name, kind in ours.items():
        if name in schemas:
            assert set(schemas[name]["properties"]) >= set(kind.model_fields), name
            compared += 1
    assert compared >= 12


def test_no_repr_tells_the_key() -> None:
    secret = "paretrim_abc_secret"
    client = Client(api_key=secret)
    assert secret not in repr(client) + repr(client.jobs) + repr(vars(client.jobs))
    assert secret not in repr(AsyncClient(api_key=secret))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("https://h/prefix/api/v1", "https://h/prefix"),
        (None, "http://127.0.0.1:8000"),
    ],
)
def test_the_address_may_be_given_with_or_without_the_prefix(url: str | None, expected: str) -> None:
    assert Client(url).base_url == expected


def test_the_address_and_the_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETRIM_URL", "http://from-environment:7")
    assert Client().base_url == "http://from-environment:7"
    assert Client("http://given:8").base_url == "http://given:8"


@pytest.mark.parametrize("url", ["ftp://h", "h:8000", "http://", "://", "http://h:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidInput) as wrong:
        Client(url)
    assert wrong.value.field == "base_url"


def test_a_key_that_cannot_be_one_is_refused_without_being_told() -> None:
    with pytest.raises(errors.InvalidInput) as wrong:
        Client(api_key="pâretrim\nsecret")
    assert "secret" not in str(wrong.value)


def test_a_wrong_key_is_unauthorized_and_says_what_to_do(live: Live) -> None:
    with Client(live.url, api_key="paretrim_wrong") as client, pytest.raises(errors.Unauthorized) as refused:
        list(client.jobs.list())
    assert json.dumps(refused.value.problem).count("key") >= 1


def test_keys_are_made_listed_and_revoked(live: Live, client: Client) -> None:
    key = client.keys.create("for reading", scopes=["read"], expires_in_seconds=3600)
    assert key.secret is not None
    assert key.expires_at is not None
    with Client(live.url, api_key=key.secret) as reader:
        assert isinstance(reader.jobs.list(limit=1).all(), list)
        with pytest.raises(errors.Forbidden):
            reader.keys.create("more")
        client.keys.revoke(key)
        with pytest.raises(errors.Unauthorized):
            list(reader.jobs.list())
    assert key.id not in {k.id for k in client.keys.list()}
    with pytest.raises(errors.Unprocessable, match="is not a scope"):
        client.keys.create("x", scopes=["everything"])
    with pytest.raises(errors.InvalidInput, match="expires_in_seconds"):
        client.keys.create("x", expires_in_seconds=1)


def test_devices_are_stored_shown_and_forgotten(client: Client, device: str, tmp_path: Path) -> None:
    document = client.devices.document(device)
    assert document["name"] == device
    (tmp_path / "mine.json").write_text(json.dumps(document | {"name": "mine"}))
    stored = client.devices.put("mine", tmp_path / "mine.json")
    assert stored.name == "mine"
    assert client.devices.get("mine") == stored
    assert {"mine", device} <= {d.name for d in client.devices.list()}
    assert client.devices.document("mine") == document | {"name": "mine"}
    client.devices.delete("mine")
    with pytest.raises(errors.NotFound):
        client.devices.get("mine")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(errors.InvalidTable, match="not JSON"):
        client.devices.put("mine", tmp_path / "broken.json")


def test_a_device_shows_its_steps_along_the_channels_of_a_layer(client: Client, device: str) -> None:
    for shape in client.devices.shapes(device):
        sweep = client.devices.sweep(device, shape, channels=8)
        assert sweep.series
        assert all(len(series.channels) == len(series.latency_ms) for series in sweep.series)
        return
    pytest.fail("the device has no layer to look at")


def test_algorithms_say_what_can_be_set(client: Client) -> None:
    found = {algorithm.name: algorithm for algorithm in client.algorithms.list()}
    assert {"amc", "nsga2", "random", "uniform"} <= set(found)
    assert "population" in found["nsga2"].options["properties"]


def test_injected_http_clients_are_used_and_left_open(live: Live) -> None:
    import httpx2

    seen: list[str] = []
    with httpx2.Client(event_hooks={"request": [lambda r: seen.append(r.headers["user-agent"])]}) as http:
        with Client(live.url, api_key=live.key, http_client=http) as client:
            client.algorithms.list().all()
        assert not http.is_closed
    assert seen[0].startswith(f"paretrim/{paretrim.__version__} python/3.")
