"""Further models that teach, beside the original, in the fine-tuning of a job's networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, cast, select
from sqlalchemy.orm import Session

from paretrim.errors import InvalidInput
from paretrim.recovery import Recovery
from service.tables import Job, Model

_FIELD = "recovery.teachers"


def check(session: Session, workspace_id: str, recovery: Recovery, pupil: Mapping[str, Any]) -> None:
    """Raise InvalidInput unless every teacher is a model of the workspace that answers as the job's model does.

    pupil: what inspection found of the job's model.
    """
    for name in recovery.teachers:
        row = session.scalar(select(Model).where(Model.id == name, Model.workspace_id == workspace_id))
        if row is None:
            raise InvalidInput(f"there is no model {name!r} to teach; upload it first", field=_FIELD)
        if row.state != "ready":
            said = f"was rejected: {row.reason}" if row.state == "rejected" else "is still being inspected; wait for it"
            raise InvalidInput(f"model {name} {said}", field=_FIELD)
        for what, of in (("input_shape", "takes inputs"), ("output_shape", "gives outputs")):
            own, theirs = (tuple(found[what]) for found in (pupil, row.inspection or {what: ()}))
            if own != theirs:
                raise InvalidInput(
                    f"model {name} {of} of shape {theirs}, the job's model of shape {own}; teachers must agree with it",
                    field=_FIELD,
                )


def rows(session: Session, recovery: Recovery) -> list[Model]:
    """The teachers of a job that was accepted."""
    return [session.get_one(Model, name) for name in recovery.teachers]


def refers(model: Model) -> ColumnElement[bool]:
    """Of jobs: that they name the model, as theirs or as a teacher."""
    named = cast(Job.request, String).contains(f'"{model.id}"', autoescape=True)
    return (Job.model_id == model.id) | ((Job.workspace_id == model.workspace_id) & named)
