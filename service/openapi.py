"""The description of the API as a file: `python -m service.openapi > docs/openapi.json`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from service.app import create_app
from service.settings import Settings


def document() -> dict[str, Any]:
    """The OpenAPI document of this version; it depends on no setting."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder)))
        made = app.openapi()
        app.state.service.database.close()
    return made


def text() -> str:
    """As it is committed: sorted, so that a change shows as what it is."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
