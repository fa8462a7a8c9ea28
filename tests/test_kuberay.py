"""deploy/kuberay.yaml is what docker-compose.yml is, said to Kubernetes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
#: by name in docker-compose.yml: kind and name in the manifest
OURS = {"migrate": "Job", "api": "Deployment", "dispatcher": "Deployment"}


@pytest.fixture
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


@pytest.fixture
def manifest() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "deploy" / "kuberay.yaml").read_text()))


def found(manifest: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(d for d in manifest if (d["kind"], d["metadata"]["name"]) == (kind, name))


def container(document: dict[str, Any]) -> dict[str, Any]:
    only: dict[str, Any] = document["spec"]["template"]["spec"]["containers"][0]
    return only


def groups(manifest: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    spec = found(manifest, "RayCluster", "ray")["spec"]
    return {"ray-head": spec["headGroupSpec"], "ray-worker": spec["workerGroupSpecs"][0]}


def names(env: list[dict[str, Any]]) -> set[str]:
    return {entry["name"] for entry in env}


def test_every_document_says_what_it_is_and_where_it_belongs(manifest: list[dict[str, Any]]) -> None:
    for document in manifest:
        assert document["apiVersion"]
        assert document["metadata"]["namespace"] == "paretrim"
    assert len({(d["kind"], d["metadata"]["name"]) for d in manifest}) == len(manifest)


@pytest.mark.parametrize("name", OURS)
def test_our_own_processes_run_the_commands_of_the_compose_file(
    compose: dict[str, Any], manifest: list[dict[str, Any]], name: str
) -> None:
    theirs, mine = compose["services"][name], container(found(manifest, OURS[name], name))
    command = [word.replace("ray-head:", "ray-head-svc:") for word in theirs["command"]]
    assert mine["command"] == command
    assert mine["image"] == f"paretrim-{theirs['build']['target']}"
    assert set(theirs["environment"]) <= names(mine["env"])
    assert mine["securityContext"]["readOnlyRootFilesystem"] is theirs["read_only"]
    assert mine["securityContext"]["capabilities"]["drop"] == theirs["cap_drop"]
    assert {mount["mountPath"] for mount in mine["volumeMounts"]} >= {"/data", "/tmp"}


def test_every_ray_process_carries_the_token_and_no_database_credentials(
    compose: dict[str, Any], manifest: list[dict[str, Any]]
) -> None:
    for name, group in groups(manifest).items():
        env = group["template"]["spec"]["containers"][0]["env"]
        assert names(env) == set(compose["services"][name]["environment"])
        assert group["template"]["metadata"]["labels"]["ray"] == "inside"
    assert groups(manifest)["ray-head"]["rayStartParams"]["num-cpus"] == "0"
    assert "--num-cpus=0" in compose["services"]["ray-head"]["command"]


def test_only_ray_talks_to_ray(manifest: list[dict[str, Any]]) -> None:
    policy = found(manifest, "NetworkPolicy", "ray-inside")["spec"]
    inside = {"matchLabels": {"ray": "inside"}}
    assert policy["podSelector"] == inside
    assert policy["ingress"] == [{"from": [{"podSelector": inside}]}]


def test_secrets_come_from_a_secret_and_from_nowhere_else(manifest: list[dict[str, Any]]) -> None:
    text = (ROOT / "deploy" / "kuberay.yaml").read_text()
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for name in ("PARETRIM_DATABASE_URL", "PARETRIM_SECRET", "RAY_AUTH_TOKEN"):
        used = re.findall(rf"name: {name}\b[^\n]*\n\s*(\w+)", body)
        assert used
        assert set(used) == {"valueFrom"}
    assert manifest


def test_ray_is_the_version_that_is_installed(manifest: list[dict[str, Any]]) -> None:
    pinned = re.search(r"^ray==([\d.]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert found(manifest, "RayCluster", "ray")["spec"]["rayVersion"] == pinned[1]
