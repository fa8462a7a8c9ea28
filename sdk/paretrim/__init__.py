"""paretrim: the words, the wire, the client and the command line. No torch, no ray."""

from __future__ import annotations
