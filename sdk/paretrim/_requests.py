"""The bodies of requests, from what a user would naturally write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from paretrim._flow import Call, invalid_input, new_key, path
from paretrim.errors import InvalidInput
from paretrim.problem import Budget, Constraint, Objective
from paretrim.wire import AUTO, AlgorithmChoice, ApiKeyRequest, BudgetRequest, JobChange, JobRequest, WebhookRequest
from paretrim.wire_overview import OutlookRequest

#: an algorithm: its name, or its name with options
Choice = str | AlgorithmChoice | Mapping[str, Any]


def job_request(**wanted: Any) -> JobRequest:
    """A job's request. Raises InvalidInput, naming the field, before anything is sent."""
    fields = {name: value for name, value in wanted.items() if value is not None}
    try:
        return JobRequest.model_validate({name: plain_field(name, value) for name, value in fields.items()})
    except pydantic.ValidationError as error:
        raise invalid_input(error) from None


def plain_field(name: str, value: Any) -> Any:
    """A field of a job's request, in plain values."""
    match name:
        case "model" | "dataset" | "device" | "learn_from":
            return identity(value, name)
        case "recovery":
            named = value.get("teachers")
            return value if named is None else {**value, "teachers": [identity(one, "model") for one in listed(named)]}
        case "algorithms":
            return [_plain(choice) for choice in listed(value)]
        case "budget":
            return _budget(value)
        case "objectives":
            return [one if one == AUTO else _word(one, Objective) for one in listed(value)]
        case "constraints":
            return [_word(one, Constraint) for one in listed(value)]
        case _:
            return value


def create_job_call(request: JobRequest, idempotency_key: str | None) -> Call:
    """Submits a job."""
    headers = new_key() if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    # what was not given is not sent: the server knows its own defaults, also one that is older than this client
    body = request.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return Call("POST", path("jobs"), json=body, headers=headers)


def check_job_call(model: Any, device: Any, constraints: Any) -> Call:
    """Asks what a job could reach."""
    fields = {"model": model, "device": device, "constraints": constraints or ()}
    try:
        request = OutlookRequest.model_validate({name: plain_field(name, value) for name, value in fields.items()})
    except pydantic.ValidationError as error:
        raise invalid_input(error) from None
    return Call("POST", path("jobs", "check"), json=request.model_dump(mode="json"))


def change_job_call(job: str, **wanted: Any) -> Call:
    """Changes what may be changed of a job."""
    try:
        change = JobChange.model_validate({name: value for name, value in wanted.items() if value is not None})
    except pydantic.ValidationError as error:
        raise invalid_input(error) from None
    return Call("PATCH", path("jobs", job), json=change.model_dump(mode="json", exclude_unset=True))


def clone_job_call(job: str, changes: Mapping[str, Any]) -> Call:
    """Submits a job's request again, changed."""
    body = {name: plain_field(name, value) for name, value in changes.items()}
    return Call("POST", path("jobs", job, "clone"), json=body, headers=new_key())


def create_key_call(name: str, scopes: Sequence[str] | None, expires_in_seconds: int | None) -> Call:
    """Asks for an API key."""
    fields: dict[str, Any] = {"name": name, "expires_in_seconds": expires_in_seconds}
    if scopes is not None:
        fields["scopes"] = list(scopes)
    try:
        request = ApiKeyRequest.model_validate(fields)
    except pydantic.ValidationError as error:
        raise invalid_input(error) from None
    return Call("POST", path("keys"), json=request.model_dump(mode="json", exclude_none=True), headers=new_key())


def create_webhook_call(url: str, types: Sequence[str] | None) -> Call:
    """Asks for a webhook."""
    fields: dict[str, Any] = {"url": url} if types is None else {"url": url, "types": list(types)}
    try:
        request = WebhookRequest.model_validate(fields)
    except pydantic.ValidationError as error:
        raise invalid_input(error) from None
    return Call("POST", path("webhooks"), json=request.model_dump(mode="json"), headers=new_key())


def identity(thing: Any, field: str = "id") -> str:
    """The id (or, of a device, the name) of a thing that is named by itself or by its id."""
    for value in (thing, getattr(thing, "id", None), getattr(thing, "name", None)):
        if isinstance(value, str) and value:
            return value
    raise InvalidInput(f"{field} must be an id or what an upload or a listing returned, got {thing!r}", field=field)


def listed(value: Any) -> list[Any]:
    """A list, also of a single thing."""
    return [value] if isinstance(value, str | Mapping | AlgorithmChoice | Objective | Constraint) else list(value)


def _plain(choice: Choice) -> Any:
    return choice.model_dump() if isinstance(choice, AlgorithmChoice) else choice


def _word(value: Any, kind: type[Objective | Constraint]) -> Any:
    if not isinstance(value, kind):
        return value
    return value.metric if isinstance(value, Objective) else str(value)


def _budget(budget: Any) -> Any:
    if isinstance(budget, int) and not isinstance(budget, bool):
        return {"candidates": budget}
    if isinstance(budget, Budget):
        return {"candidates": budget.candidates, "seconds": budget.seconds}
    return budget.model_dump() if isinstance(budget, BudgetRequest) else budget
