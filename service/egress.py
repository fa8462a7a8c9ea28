"""Requests to addresses that users named. They reach the public internet and nothing else.

A name is resolved once, every address it stands for is checked, and the connection goes to the address that was
checked: a name that is answered differently the second time (DNS rebinding) gains nothing. No redirects, no proxies
from the environment, a bounded answer, bounded time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2

from paretrim.errors import InvalidInput

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MOST_ANSWER_BYTES = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """The address is not on the public internet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def check_url(url: str, *, allow_loopback: bool = False) -> None:
    """Raise InvalidInput unless this is an https address on the public internet, as far as its text tells."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidInput("this is not an address; write https://host/path", field="url") from None
    if parts.scheme != "https" and not (allow_loopback and parts.scheme == "http"):
        raise InvalidInput("only https addresses are taken", field="url")
    if (
        not parts.hostname
        or parts.username
        or parts.password
        or port == 0
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise InvalidInput("write https://host/path, without a user or password in it", field="url")
    literal = _literal(parts.hostname)
    if literal is not None and not is_public(literal, allow_loopback=allow_loopback):
        raise InvalidInput(f"{parts.hostname} is not on the public internet", field="url")
    if parts.hostname.endswith((".local", ".internal", ".localhost")) or (
        parts.hostname == "localhost" and not allow_loopback
    ):
        raise InvalidInput(f"{parts.hostname} is not on the public internet", field="url")


def is_public(address: Address, *, allow_loopback: bool = False) -> bool:
    """Whether a request may go there."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(inner, allow_loopback=allow_loopback)
    if allow_loopback and address.is_loopback:
        return True
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or _is_translated(address)
    )


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: any IPv4 address, private ones too


def _is_translated(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address in _TRANSLATED


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def resolve(host: str, port: int, *, allow_loopback: bool = False) -> str:
    """An address of the host to connect to. Raises Forbidden if any of its addresses is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Forbidden(f"{host} is not known") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(is_public(address, allow_loopback=allow_loopback) for address in addresses):
        raise Forbidden(f"{host} is not on the public internet")
    return str(addresses[0])


class _CheckedBackend(httpcore2.SyncBackend):
    """Connects to addresses that were checked. TLS still verifies the name."""

    def __init__(self, *, allow_loopback: bool) -> None:
        super().__init__()
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to where the host is now."""
        address = resolve(host, port, allow_loopback=self._allow_loopback)
        return super().connect_tcp(address, port, timeout, local_address, socket_options)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """Never."""
        raise Forbidden("sockets of this machine are not on the public internet")


def post(url: str, content: bytes, headers: Mapping[str, str], *, allow_loopback: bool = False) -> Answer:
    """Send a request. Raises Forbidden; httpx2.HTTPError if there is no answer in time."""
    check_url(url, allow_loopback=allow_loopback)
    transport = httpx2.HTTPTransport(retries=0, trust_env=False)
    pool = transport._pool
    pool._network_backend = _CheckedBackend(allow_loopback=allow_loopback)
    timeout = httpx2.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    with (
        httpx2.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout) as client,
        client.stream("POST", url, content=content, headers=dict(headers)) as response,
    ):
        body = b""
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MOST_ANSWER_BYTES:
                break
        return Answer(response.status_code, body[:MOST_ANSWER_BYTES])
