"""Recognises a refusal that comes as a success: 200 with {"error": "Insufficient credits"}."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scenario_apply.api.error_responses import said_in
from scenario_apply.api.exchange import Reply, Request, Safety
from scenario_apply.errors import AnswerLost, ApiError, Refused

_RESULT_KEYS = (
    *("id", "model", "modelId", "models", "job", "jobId", "asset", "assetId", "assets", "upload", "uploadId"),
    *("trainingImage", "trainingImages", "score", "captions", "creativeUnitsCost"),
)
"""The resources of the contract, bare or wrapped, and their ids: an answer that holds one is no refusal."""

_FAILED_WORDS = frozenset({"error", "failed", "failure", "fail", "rejected", "denied"})


def refusal_in_success(request: Request, reply: Reply, value: object, mask: Callable[[str], str]) -> ApiError | None:
    """The error for a 2xx whose JSON is a refusal, in the service's words; None for any other answer.

    As for error responses, a 5xx that is named in the body leaves it open whether a write was carried out.
    """
    if not isinstance(value, dict) or any(value.get(key) not in (None, "", [], {}) for key in _RESULT_KEYS):
        return None
    code = _failure_code(value)
    if code is None and not _says_failed(value):
        return None
    what = f"{request.doing}: {mask(said_in(value)) or 'no reason given'} (HTTP {reply.status})"
    if code is not None and (code >= 500 or code == 408):
        is_read = request.safety is Safety.READ
        return ApiError(what, status=reply.status) if is_read else AnswerLost(what, status=reply.status)
    return Refused(what, status=reply.status)


def _failure_code(body: Mapping[str, object]) -> int | None:
    """The status of an error response that stands in the body."""
    codes = (body.get(key) for key in ("statusCode", "status", "code"))
    return next((code for code in codes if isinstance(code, int) and 400 <= code < 600), None)


def _says_failed(body: Mapping[str, object]) -> bool:
    if body.get("error") or body.get("errors") or body.get("success") is False or body.get("ok") is False:
        return True
    states = (body.get(key) for key in ("status", "result"))
    return any(isinstance(state, str) and state.lower() in _FAILED_WORDS for state in states)
