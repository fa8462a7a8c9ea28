"""docker-compose.yml is valid Compose, and says what the documentation promises of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).parent.parent


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _validated(document: dict[str, Any]) -> PyCompose:
    """Anchors and merge keys resolved, as Compose does before it checks."""
    return PyCompose.from_yaml(yaml.dump(document, Dumper=_Plain))


@pytest.fixture
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    names = set(_validated(compose).service_names())
    assert names == {"postgres", "migrate", "api", "dispatcher", "ray-head", "ray-worker"}


def test_a_misspelt_key_would_be_noticed(compose: dict[str, Any]) -> None:
    compose["services"]["api"]["comand"] = ["true"]
    with pytest.raises(ValueError, match="comand"):
        _validated(compose)


def test_ray_is_never_published_and_always_carries_the_token(compose: dict[str, Any]) -> None:
    for name in ("ray-head", "ray-worker", "dispatcher"):
        service = compose["services"][name]
        assert "ports" not in service
        assert service["networks"] == ["inside"]
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
    assert compose["networks"]["inside"]["internal"] is True


def test_workers_hold_no_database_credentials(compose: dict[str, Any]) -> None:
    for name in ("ray-head", "ray-worker"):
        assert not any("DATABASE" in key or "SECRET" in key for key in compose["services"][name]["environment"])


def test_our_own_containers_are_hardened(compose: dict[str, Any]) -> None:
    for name in ("migrate", "api", "dispatcher", "ray-head", "ray-worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
