"""Images too large for one request: open an upload, send the parts, complete it, and wait until it is an asset.

Source: the API contract, "Uploading".
"""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.apply.call_context import LONGEST_COOLDOWN_S, CallContext
from scenario_apply.apply.lost_answers import BytesSent
from scenario_apply.errors import AnswerLost, ApplyError, CoolingDown, Interrupted, Refused
from scenario_apply.model.limits import PART_BYTES
from scenario_apply.model.remote import AssetId, RemoteUpload, UploadId
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.model.timestamps import iso
from scenario_apply.state.outcome import Outcome

OPEN_AGAIN_AFTER_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts to open an upload. An upload that was opened in vain costs nothing and is not looked up."""

IMPORT_POLL_S = (0.5, 1.0, 2.0, 3.0)
IMPORT_WITHIN_S = 600.0
MOST_COOLDOWNS = 20


def upload_in_parts(planned: PlannedStep, step: UploadImage, context: CallContext) -> Outcome:
    """Open the upload, send the parts, complete it, wait for the asset. Its id is journalled before a byte leaves."""
    body, bytes_sent = body_of(step, context)
    upload = _opened(step, len(body), context)
    details = {"upload_id": upload.id, **({} if bytes_sent is None else bytes_sent.details)}
    context.journal.sending(planned, context.clock.now(), **details)
    for part in sorted(upload.parts, key=lambda part: part.number):
        start = (part.number - 1) * PART_BYTES
        context.api.put_part(part.url, memoryview(body)[start : start + PART_BYTES])
    context.notes.response_lost(planned.id)
    closed, adopted = _closed(planned, upload.id, context)
    asset_id = _imported(closed, planned, step, context)
    context.notes.created(asset_id)
    context.notes.response_found(planned.id)
    sha256 = None if bytes_sent is None else bytes_sent.sha256
    return Outcome(at=iso(context.clock.now()), asset_id=asset_id, sha256=sha256, adopted=adopted)


def body_of(step: UploadImage, context: CallContext) -> tuple[bytes, BytesSent | None]:
    """The bytes of an image to send, and what is to be recorded of them where they are not those of its file."""
    body = context.read(step)
    return body, BytesSent.of(body) if step.picture.recipe else None


def _opened(step: UploadImage, size_bytes: int, context: CallContext) -> RemoteUpload:
    """An upload that takes parts. One that is opened and never completed costs nothing."""
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
    """The completed upload, which may become an asset from here on, and by what it was recognised.

    After a lost response or a refusal the upload is read: the second value is None otherwise.
    """

    def sending() -> None:
        context.journal.sending(planned, context.clock.now(), upload_id=upload_id)

    try:
        return _after_cooldown(lambda: context.api.complete_upload(upload_id, sending=sending), context), None
    except (AnswerLost, Refused):
        upload = _after_cooldown(lambda: context.api.get_upload(upload_id), context)
        if upload.status == "pending":
            raise
        return upload, "its upload was completed"


def _imported(upload: RemoteUpload, planned: PlannedStep, step: UploadImage, context: CallContext) -> AssetId:
    """Wait until a completed upload is an asset."""
    deadline = context.clock.monotonic() + IMPORT_WITHIN_S
    polls = 0
    while upload.asset_id is None:
        if upload.status == "failed":
            context.notes.response_found(planned.id)
            raise ApplyError(f"Scenario refused {step.picture.path}: {upload.error or 'no reason given'}")
        if context.clock.monotonic() > deadline:
            raise ApplyError(f"{step.picture.path} was uploaded, but Scenario has not imported it within ten minutes")
        if polls:
            context.clock.wait(IMPORT_POLL_S[min(polls, len(IMPORT_POLL_S)) - 1], context.stop)
        polls += 1
        upload_id = upload.id
        upload = _after_cooldown(lambda: context.api.get_upload(upload_id), context)  # noqa: B023  # called at once
    return upload.asset_id


def _after_cooldown(call: Callable[[], RemoteUpload], context: CallContext) -> RemoteUpload:
    """Make the call, waiting for the end of cooldowns: starting the step again would send the image a second time."""
    for _ in range(MOST_COOLDOWNS):
        try:
            return call()
        except CoolingDown as error:
            if error.remaining_s > LONGEST_COOLDOWN_S:
                raise
            if context.clock.wait(max(error.remaining_s, 0.1), context.stop):
                raise Interrupted("interrupted during a cooldown") from error
    return call()
