"""Requests in the scope of a project: what every part of the client builds its calls with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from scenario_apply.api.exchange import Body, Method, Request, Safety
from scenario_apply.api.sender import Sender
from scenario_apply.api.urls import segment
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import JobId, ModelId

DRY_RUN_STATUS = 269
"""The status of an answer to a dry run. Source: the API contract, "Launching a training"."""

DRY_RUN = (("dryRun", "true"),)

Query = tuple[tuple[str, str], ...]
Said = TypeVar("Said")


class ScopedRequests:
    """A sender and the project that its requests are for."""

    def __init__(self, sender: Sender, project_id: str | None) -> None:
        self._sender = sender
        self._project_id = project_id
        self._scope: Query = () if not project_id else (("projectId", project_id),)

    def read(
        self, path: str, doing: str, answer: Callable[[object], Said], *, query: Query = (), body: Body | None = None
    ) -> Said:
        """A read that another module of this folder words. body: of a bulk read."""
        method: Method = "GET" if body is None else "POST"
        return self._sender.call(self._request(method, path, Safety.READ, doing, query=query, body=body), answer)

    def _request(
        self,
        method: Method,
        path: str,
        safety: Safety,
        doing: str,
        *,
        query: Query = (),
        body: Body | None = None,
        expect: int | None = None,
        may_be_empty: bool = False,
        is_advisory: bool = False,
        about: Sequence[str] = (),
    ) -> Request:
        """A request in the project's scope."""
        return Request(
            method=method,
            path=path,
            safety=safety,
            doing=doing,
            query=(*query, *self._scope),
            body=body,
            expect=expect,
            may_be_empty=may_be_empty,
            is_advisory=is_advisory,
            about=tuple(about),
        )

    def _write(
        self,
        method: Method,
        path: str,
        doing: str,
        body: Body | None,
        sending: Sending | None,
        read: Callable[[object], Said],
    ) -> Said:
        """A write that may be repeated, and whose answer may be empty. read: takes from the answer what is of use."""
        request = self._request(method, path, Safety.REPEATABLE, doing, body=body, may_be_empty=True)
        return self._sender.call(request, read, sending)


def model_path(model_id: ModelId) -> str:
    return f"/models/{segment('a model', model_id)}"


def job_path(job_id: JobId) -> str:
    return f"/jobs/{segment('a job', job_id)}"


def page_token(token: str | None) -> Query:
    return () if token is None else (("paginationToken", token),)
