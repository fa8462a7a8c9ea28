"""Makes the databases of released schemas that the upgrade is tested with: `python -m tests.service.released.make`.

Run once per release, before the next migration is written: the files of earlier releases stay as they are. Rows are
made by the service itself, then the schema is taken back to the revision.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from alembic import command
from starlette.testclient import TestClient

from search.plan import Delivered
from service import jobs, schema
from service.app import create_app
from service.context import Service
from tests import postgres
from tests.service import worlds
from tests.service.test_recorder import CHECKPOINT, CURVE, ORIGINAL, WINDOW, recorder_of

FOLDER = Path(__file__).parent


def fill(client: TestClient, service: Service) -> None:
    """A job that has ended with a delivery, one that is paused half way, one that waits; a webhook; an audit entry."""
    files = worlds.ready_files(service)
    for ends in (True, False):
        worlds.create_job(client, files, name="übung", tags=["a", "b"], headers={"Idempotency-Key": f"key-{ends}"})
        with service.database.write() as session:
            fence = jobs.claim(session, "w", lease_seconds=60.0, running_per_workspace=4)
        assert fence is not None
        recorder = recorder_of(service, fence)
        recorder.prepared(ORIGINAL, {"device": {"name": "x"}}, ["mind the gap"])
        recorder.record(recorder._plan.searches[0], WINDOW, CURVE, CHECKPOINT)
        recorder.front((1,), 0.5, {"accuracy": 0.8})
        recorder.delivered(Delivered(1, ORIGINAL, ORIGINAL, {"model.onnx": b"a network"}))
        recorder.flush()
        with service.database.write() as session:
            if ends:
                jobs.succeed(session, fence)
            else:
                jobs.request_pause(session, fence.job_id)
                jobs.stop(session, fence)
    worlds.create_job(client, files)
    worlds.open_upload(client, b"unfinished", "model", "net.onnx")
    client.post("/webhooks", json={"url": "https://93.184.216.34/hook"})
    client.delete(f"/keys/{client.post('/keys', json={'name': 'old'}).json()['id']}")


def _filled(url: str, folder: Path, revision: str) -> None:
    schema.upgrade(url)
    app = create_app(worlds.settings(url, folder / "data"))
    service: Service = app.state.service
    with worlds.client_of(app, service, "first") as client:
        fill(client, service)
    service.database.close()
    command.downgrade(schema.configuration(url), revision)


def make(revision: str) -> None:
    """Write the two files of a revision."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _filled(f"sqlite:///{folder / 'p.db'}", folder, revision)
        with sqlite3.connect(folder / "p.db") as connection:
            (FOLDER / f"{revision}.sqlite.sql").write_text("\n".join(connection.iterdump()) + "\n")
        cluster = postgres.Cluster()
        try:
            _filled(cluster.create("released"), folder, revision)
            (FOLDER / f"{revision}.postgresql.sql").write_text(cluster.dump("released"))
        finally:
            cluster.remove()


if __name__ == "__main__":
    for known in schema.revisions():
        if not (FOLDER / f"{known}.sqlite.sql").exists():
            make(known)
