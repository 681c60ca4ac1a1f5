"""The lines of a journal as types: what a run writes, and what the next one accepts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scenario_apply.model.remote import IdOrEmpty, UploadId
from scenario_apply.model.steps import Step, StepId
from scenario_apply.state.baseline import Baseline
from scenario_apply.state.outcome import Outcome, Sha256

Moment = Annotated[float, Meta(ge=0, le=1e11)]
"""Seconds since the epoch, within what a calendar holds."""

_ID_LIST = r"\A[A-Za-z0-9_.-]{1,128}(?:,[A-Za-z0-9_.-]{1,128})*\Z"
_NUMBER_OR_EMPTY = r"\A(?:-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,2})?)?\Z"


class JournalLine(Struct, frozen=True, kw_only=True, tag_field="phase"):
    """`phase` tells the lines apart."""


class RunLine(JournalLine, frozen=True, kw_only=True, tag="run"):
    """The first line: whose journal it is. ts: when it was begun, ISO 8601."""

    run: str
    ts: str


class BaselineLine(JournalLine, frozen=True, kw_only=True, tag="baseline"):
    """What was there before the first call that makes something."""

    baseline: Baseline


class StepLine(JournalLine, frozen=True, kw_only=True):
    """A line about one step; op: its id."""

    op: StepId


class IntentLine(StepLine, frozen=True, kw_only=True, tag="intent"):
    """A step is about to be done. It says all that replaying the step takes."""

    ts: str
    step: Step


class SentDetails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was known of a call when it left. asset_ids: joined by commas.

    sha256, size_bytes: of the bytes of an image that was altered before it was sent.
    """

    upload_id: UploadId | None = None
    asset_ids: Annotated[str, Meta(pattern=_ID_LIST)] | None = None
    earlier_job: IdOrEmpty | None = None
    earlier_start: Annotated[str, Meta(pattern=_NUMBER_OR_EMPTY)] | None = None
    sha256: Sha256 | None = None
    size_bytes: Annotated[str, Meta(pattern=r"\A[0-9]{1,20}\Z")] | None = None


class SentLine(StepLine, frozen=True, kw_only=True, tag="sent", omit_defaults=True):
    """The call leaves at this moment."""

    at: Moment
    details: SentDetails = SentDetails()


class DoneLine(StepLine, frozen=True, kw_only=True, tag="done"):
    """The step is done."""

    outcome: Outcome


class AdoptedLine(StepLine, frozen=True, kw_only=True, tag="adopted"):
    """The step was found done after its answer was lost."""

    outcome: Outcome


class FailedLine(StepLine, frozen=True, kw_only=True, tag="failed"):
    """The service refused the step: it surely was not carried out."""

    reason: str


Line = RunLine | BaselineLine | IntentLine | SentLine | DoneLine | AdoptedLine | FailedLine
