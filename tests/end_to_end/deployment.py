"""What docker-compose.yml describes, as plain processes on loopback: its commands with this machine's addresses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
TIMEOUT_SECONDS = 90.0
MARK = "PARETRIM_TEST_MARK"


class Deployment:
    """Starts services of the file by name; `stop` ends exactly the processes it started."""

    def __init__(self, folder: Path, *, database_url: str, data: Path) -> None:
        self._compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        self._folder = folder
        self.ray_folder = folder / "ray"
        self.mark = uuid.uuid4().hex
        self.ray_port, self.api_port = free_port(), free_port()
        self._replaced = {
            "ray-head:6379": f"127.0.0.1:{self.ray_port}",
            "--port=6379": f"--port={self.ray_port} --node-ip-address=127.0.0.1 --temp-dir={self.ray_folder}",
            "127.0.0.1:6379": f"127.0.0.1:{self.ray_port}",
            "${PARETRIM_WORKER_CPUS:-2}": "2",
        }
        self._environment = {
            "PARETRIM_DATABASE_URL": database_url,
            "PARETRIM_DATA_DIR": str(data),
            "PARETRIM_SECRET": "s" * 40,
            "PARETRIM_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "RAY_AUTH_TOKEN": self.mark,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.api_port}"

    def command(self, service: str) -> list[str]:
        """The service's command line with this machine's addresses."""
        words = [str(word) for word in self._compose["services"][service]["command"]]
        if service == "api":
            words = [str(self.api_port) if word == "8000" else word.replace("0.0.0.0", "127.0.0.1") for word in words]
        return self._here(words)

    def environment(self, service: str) -> dict[str, str]:
        """The variables the file gives the service, with this test's values where the file asks for one."""
        named = self._compose["services"][service]["environment"]
        values = {name: self._environment.get(name, self._rewritten(str(value))) for name, value in named.items()}
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "PARETRIM_"))}
        return kept | values | {"PATH": path, MARK: self.mark, "RAY_DISABLE_IMPORT_WARNING": "1"}

    def run(self, service: str) -> None:
        """Run a one-shot service to its end."""
        subprocess.run(
            self.command(service), env=self.environment(service), cwd=self._folder, check=True, timeout=TIMEOUT_SECONDS
        )

    def start(self, service: str, replica: int = 0) -> None:
        """Start a service; its output goes to a file named after it."""
        with self.log(service, replica).open("wb") as log:
            self._running[f"{service}-{replica}"] = subprocess.Popen(
                self.command(service),
                env=self.environment(service),
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, service: str, replica: int = 0) -> Path:
        """Where a service's output goes."""
        return self._folder / f"{service}-{replica}.log"

    def healthy(self, service: str) -> bool:
        """What the file's own health check says."""
        test = self._here([str(word) for word in self._compose["services"][service]["healthcheck"]["test"][1:]])
        words = [word.replace("127.0.0.1:8000", f"127.0.0.1:{self.api_port}") for word in test]
        words[0] = {"python": sys.executable}.get(words[0], words[0])
        done = subprocess.run(words, env=self.environment(service), capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    def joined(self, service: str) -> bool:
        """Whether a service's Ray node has joined the cluster."""
        return "Ray runtime started" in self.log(service).read_text()

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Ask again and again, and say what the services printed if it never comes true or one of them ends."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if ready():
                return
            ended = [name for name, process in self._running.items() if process.poll() is not None]
            assert not ended, f"{ended} ended while {what} was awaited\n{self.logs()}"
            time.sleep(0.3)
        raise AssertionError(f"{what} did not come about in {TIMEOUT_SECONDS:.0f} s\n{self.logs()}")

    def logs(self) -> str:
        """The end of what each service has printed."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in self._folder.glob("*.log"))

    def stop(self) -> None:
        """End what was started, and what that started: known by the mark in its environment."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(list(self._marked()), timeout=10)
        for left in alive:
            left.kill()
        psutil.wait_procs(alive, timeout=10)
        for process in self._running.values():
            process.wait(10)

    def _marked(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def _here(self, words: list[str]) -> list[str]:
        if words[0] == "sh":
            return [*words[:-1], self._rewritten(words[-1])]
        return self._split(words)

    def _split(self, words: list[str]) -> list[str]:
        split: list[str] = []
        for word in words:
            rewritten = self._rewritten(word)
            split.extend(rewritten.split() if rewritten != word and " -" in rewritten else [rewritten])
        return split

    def _rewritten(self, text: str) -> str:
        for old, new in self._replaced.items():
            text = text.replace(old, new)
        return text


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether an HTTP GET succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
