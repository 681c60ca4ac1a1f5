"""Pictures too large for one call: opened, put in parts, closed, and waited for until they are assets.

Source: the API contract, "Uploading".
"""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.apply.call_context import LONGEST_COOLDOWN_S, CallContext
from scenario_apply.errors import AnswerLost, ApplyError, CoolingDown, Interrupted, Refused
from scenario_apply.model.limits import PART_BYTES
from scenario_apply.model.remote import AssetId, RemoteUpload, UploadId
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.model.timestamps import iso
from scenario_apply.state.outcome import Outcome

OPEN_AGAIN_AFTER_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses between tries to open an upload: what was opened in vain needs no look, so nothing else takes time."""

IMPORT_POLL_S = (0.5, 1.0, 2.0, 3.0)
IMPORT_WITHIN_S = 600.0
COOLDOWNS_AT_MOST = 20


def upload_in_parts(planned: PlannedStep, step: UploadImage, context: CallContext) -> Outcome:
    """Open, put the parts, close, wait until it is an asset. The upload's id is journalled before a byte leaves."""
    body = memoryview(context.read(step))
    upload = _opened(step, len(body), context)
    context.journal.sending(planned, context.clock.now(), upload_id=upload.id)
    for part in sorted(upload.parts, key=lambda part: part.number):
        start = (part.number - 1) * PART_BYTES
        context.api.put_part(part.url, body[start : start + PART_BYTES])
    context.notes.response_lost(planned.id)
    closed, adopted = _closed(planned, upload.id, context)
    asset_id = _imported(closed, planned, step, context)
    context.notes.created(asset_id)
    context.notes.response_found(planned.id)
    return Outcome(at=iso(context.clock.now()), asset_id=asset_id, adopted=adopted)


def _opened(step: UploadImage, size_bytes: int, context: CallContext) -> RemoteUpload:
    """An upload that takes parts. One that was opened and never closed costs nothing and holds nothing."""
    for pause_s in (*OPEN_AGAIN_AFTER_S, None):
        try:
            return context.api.create_upload(
                file_name=step.picture.path,
                mime=step.picture.mime,
                size_bytes=size_bytes,
                parts=max(1, -(-size_bytes // PART_BYTES)),
            )
        except AnswerLost as lost:
            if pause_s is None:
                raise
            if context.clock.wait(pause_s, context.stop):
                raise Interrupted("interrupted before an upload was opened") from lost
    raise AssertionError("unreachable")


def _closed(planned: PlannedStep, upload_id: UploadId, context: CallContext) -> tuple[RemoteUpload, str | None]:
    """The upload, closed: from here on it may become an asset. What came of a lost or refused close is looked up.

    Also by what it was recognised, when it was.
    """

    def sending() -> None:
        context.journal.sending(planned, context.clock.now(), upload_id=upload_id)

    try:
        return _patiently(lambda: context.api.complete_upload(upload_id, sending=sending), context), None
    except (AnswerLost, Refused):
        upload = _patiently(lambda: context.api.get_upload(upload_id), context)
        if upload.status == "pending":
            raise
        return upload, "its upload was closed"


def _imported(upload: RemoteUpload, planned: PlannedStep, step: UploadImage, context: CallContext) -> AssetId:
    """Wait until a closed upload is an asset."""
    deadline = context.clock.monotonic() + IMPORT_WITHIN_S
    polls = 0
    while upload.asset_id is None:
        if upload.status == "failed":
            context.notes.response_found(planned.id)
            raise ApplyError(f"the service refused {step.picture.path}: {upload.error or 'no reason given'}")
        if context.clock.monotonic() > deadline:
            raise ApplyError(f"{step.picture.path} was uploaded, but the service has not imported it for ten minutes")
        if polls:
            context.clock.wait(IMPORT_POLL_S[min(polls, len(IMPORT_POLL_S)) - 1], context.stop)
        polls += 1
        upload_id = upload.id
        upload = _patiently(lambda: context.api.get_upload(upload_id), context)  # noqa: B023  # called at once
    return upload.asset_id


def _patiently(call: Callable[[], RemoteUpload], context: CallContext) -> RemoteUpload:
    """Wait a cooldown out here: who starts the step anew would send the picture a second time."""
    for _ in range(COOLDOWNS_AT_MOST):
        try:
            return call()
        except CoolingDown as error:
            if error.remaining_s > LONGEST_COOLDOWN_S:
                raise
            if context.clock.wait(max(error.remaining_s, 0.1), context.stop):
                raise Interrupted("interrupted while the service cools down") from error
    return call()
