"""The real service as a child process: `paretrim serve` on SQLite and a local Ray."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 20.0
_KEY = re.compile(r"\bparetrim_[A-Za-z0-9]+_[A-Za-z0-9_-]{20,}")


class Server:
    """Runs until `stop`. `url` and `api_key` are what a client needs."""

    def __init__(self, folder: Path, *, port: int = 8000, env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        self.url = f"http://127.0.0.1:{_free_port(port)}"
        command = [str(Path(sys.executable).with_name("paretrim")), "serve", "--host", "127.0.0.1"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", self.url.rsplit(":", 1)[1]],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PARETRIM_DATA_DIR": str(folder / "data")} | dict(env or {}),
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in order
            )
        try:
            self._wait_until_ready()
            self.api_key = self._first_key()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the service and all it started."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def wait(self) -> None:
        """Until the service ends by itself."""
        self._process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"the service did not become ready; see {self.log}:\n{self.log.read_text()[-3000:]}")

    def _first_key(self) -> str:
        found = _KEY.search(self.log.read_text())
        if found is None:
            raise RuntimeError(f"the service printed no first API key; see {self.log}")
        return found.group()


def _free_port(wanted: int) -> int:
    """`wanted`, or any free port where that is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no free port on 127.0.0.1")
