"""Rate limits, kept in this process: each replica allows as much, and forgets it when it ends."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from service.problems import Problem

MOST_NAMES = 10_000  #: the bucket unused for longest is forgotten first
USE_NOTED_EVERY_SECONDS = 60.0


class Buckets:
    """A token bucket per name: `per_minute` in a minute, as many at once. 0: no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name -> (tokens, when)
        self._lock = threading.Lock()

    def wait_seconds(self, name: str, take: float = 1.0) -> float:
        """Take `take` tokens if they are there and return 0; else how long until they are. Taking 0 only asks for 1."""
        if self.per_minute <= 0:
            return 0.0
        now, rate = self._clock(), self.per_minute / 60.0
        with self._lock:
            tokens, then = self._levels.pop(name, (float(self.per_minute), now))
            tokens = min(float(self.per_minute), tokens + (now - then) * rate)
            needed = take or 1.0
            enough = tokens >= needed
            self._levels[name] = (tokens - take if enough else tokens, now)
            while len(self._levels) > MOST_NAMES:
                self._levels.popitem(last=False)
        return 0.0 if enough else (needed - tokens) / rate


class Limits:
    """What one caller may do in a minute."""

    def __init__(self, *, requests_per_minute: int, attempts_per_minute: int) -> None:
        self._requests = Buckets(requests_per_minute)
        self._attempts = Buckets(attempts_per_minute)
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._streams: dict[str, int] = {}
        self._lock = threading.Lock()

    def check_requests(self, name: str) -> None:
        """429 if this key has asked too often."""
        _refuse(self._requests.wait_seconds(name), "too many requests with this key")

    def check_attempts(self, address: str) -> None:
        """429 if too many wrong keys came from this address."""
        _refuse(self._attempts.wait_seconds(address, take=0.0), "too many wrong keys from this address")

    def note_failure(self, address: str) -> None:
        """A wrong key came from this address."""
        self._attempts.wait_seconds(address)

    def is_time_to_note_use(self, key_id: str) -> bool:
        """Whether the last use of a key should be written down again: not with every request."""
        now = time.monotonic()
        with self._lock:
            if now - self._noted.get(key_id, -USE_NOTED_EVERY_SECONDS) < USE_NOTED_EVERY_SECONDS:
                return False
            self._noted[key_id] = now
            self._noted.move_to_end(key_id)
            while len(self._noted) > MOST_NAMES:
                self._noted.popitem(last=False)
        return True

    def enter_stream(self, key_id: str, most: int) -> None:
        """Count an event stream in. 429 if the key has too many open."""
        with self._lock:
            if self._streams.get(key_id, 0) >= most:
                raise Problem(
                    429, "too-many-streams", f"a key may have {most} event streams open", headers={"Retry-After": "5"}
                )
            self._streams[key_id] = self._streams.get(key_id, 0) + 1

    def leave_stream(self, key_id: str) -> None:
        """Count an event stream out."""
        with self._lock:
            left = self._streams.get(key_id, 1) - 1
            if left:
                self._streams[key_id] = left
            else:
                self._streams.pop(key_id, None)


def _refuse(wait_seconds: float, detail: str) -> None:
    if wait_seconds > 0:
        wait = str(int(wait_seconds) + 1)
        raise Problem(429, "rate-limited", f"{detail}; try again in {wait} s", headers={"Retry-After": wait})
