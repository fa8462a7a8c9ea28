"""A real TCP proxy on loopback that mistreats connections, the first by the first fault, and so on; then behaves."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Fault:
    """What is done to one connection."""

    delay_seconds: float = 0.0  #: before anything is passed on
    request_bytes: int | None = None  #: so many are passed on to the server, then the connection is reset
    answer_bytes: int | None = None  #: so many are passed on to the client, then the connection is reset


REFUSED = Fault(request_bytes=0)
LOST_ANSWER = Fault(answer_bytes=0)  #: the server did what was asked, and the client is not told


class FlakyProxy:
    """Passes connections on to the server at `url`."""

    def __init__(self, url: str, faults: Iterable[Fault] = ()) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname, parts.port)
        self._faults = list(faults)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.broken = 0  #: how many were reset in their middle
        self._serving: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def add(self, *faults: Fault) -> None:
        """Mistreat the next connections too."""
        self._faults.extend(faults)

    def cut_all(self) -> None:
        """Reset every connection that is open."""
        for end in list(self._open):
            _reset(end)

    def __enter__(self) -> FlakyProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut_all()
        for thread in self._serving:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            fault = self._faults.pop(0) if self._faults else Fault()
            thread = threading.Thread(target=self._serve, args=(client, fault), daemon=True)
            self._serving.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        time.sleep(fault.delay_seconds)
        if fault.request_bytes == 0:
            _reset(client)
            return
        with client, socket.create_connection(self._server) as server:
            self._open |= {client, server}
            there = threading.Thread(target=self._pump, args=(client, server, fault.request_bytes), daemon=True)
            there.start()
            self._pump(server, client, fault.answer_bytes)
            there.join()
            self._open -= {client, server}

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        """Pass bytes on until the end, or until `limit` of them: then both ends are reset."""
        passed = 0
        try:
            while chunk := source.recv(65536):
                if limit is not None and passed + len(chunk) > limit:
                    sink.sendall(chunk[: limit - passed])
                    self.broken += 1
                    time.sleep(0.02)  # so that what was passed on is read before the reset
                    _reset(source)
                    _reset(sink)
                    return
                sink.sendall(chunk)
                passed += len(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(sink)


def _reset(end: socket.socket) -> None:
    """Close at once, with a reset rather than in order."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        end.close()
