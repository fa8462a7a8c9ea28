"""Stylesheets, modules and plotly's script, from the installed packages, under an address that changes with them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache
from pathlib import Path

import plotly
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

STATIC = Path(__file__).parent / "static"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def version() -> str:
    """Changes whenever one of our files or plotly's does, so that what is served may be kept for ever."""
    digest = hashlib.sha256(str(PLOTLY.stat().st_size).encode() + plotly.__version__.encode())
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def content(name: str, *, packed: bool) -> bytes | None:
    """The bytes of a file, gzipped if `packed`; None if there is no such file."""
    path = PLOTLY if name == "plotly.js" else STATIC / name
    if name != "plotly.js" and name not in {entry.name for entry in STATIC.iterdir()}:
        return None  # looked up in the listing, so that no name leads out of the folder
    plain = path.read_bytes()
    return gzip.compress(plain, 6) if packed else plain


@router.get("/static/{tag}/{name}")
def static_file(tag: str, name: str, request: Request) -> Response:
    """One file. Under an old version's address the present file is given, and must not be kept."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    body = content(name, packed=packed)
    if body is None:
        raise HTTPException(404, "there is no such file")
    headers = {
        "Cache-Control": FOREVER if tag == version() else "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream"), headers=headers)


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def plotly_style_ids() -> tuple[str, ...]:
    """Ids under which plotly's script would put a stylesheet of its map library into the page.

    It does so as soon as it is loaded, unless an element with that id is there: pages hold one, since an inline
    stylesheet is against the policy and we draw no maps.
    """
    return tuple(sorted(set(re.findall(r'document\.getElementById\("([0-9a-f]{64})"\)', _plotly_text()))))


@cache
def content_security_policy() -> str:
    """What a page may load: its own origin only. No inline script, no eval, no inline style but these constants.

    plotly makes an *empty* style element and adds rules to it through the object model; and it sets two constant
    `style` attributes, an empty one and one for the pixels of a heat map. Each is let in by its hash, and no other.
    """
    empty = _source_hash("")
    pixels = _source_hash(_heatmap_style())
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' {empty}",
            f"style-src-attr 'unsafe-hashes' {empty} {pixels}",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )


def _heatmap_style() -> str:
    """The style plotly gives the image of a heat map: every spelling of "do not smooth the pixels"."""
    values = re.findall(r'\["image-rendering","([a-z-]+)"\]', _plotly_text(), re.IGNORECASE)
    return "".join(f"image-rendering: {value}; " for value in values)


@cache
def _plotly_text() -> str:
    return PLOTLY.read_text(encoding="utf-8")
