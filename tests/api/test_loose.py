"""loose.py: what only decorates an answer is read where it has its form, and left out where it has another."""

from __future__ import annotations

import math

import pytest

from scenario_apply.api import job_answers, loose, wire
from scenario_apply.model.remote import Progress

MODEL = {"id": "m1", "type": "flux.1-lora", "status": "training"}


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0.4, 0.4),
        (1, 1.0),
        (1.0000001, 1.0),
        ("0.4", 0.4),
        ("45%", None),
        (45, None),
        (-0.1, None),
        (True, None),
        (None, None),
        ({"value": 0.4}, None),
        ([], None),
        (math.inf, None),
        (10**400, None),
        ("9" * 5000, None),
    ],
)
def test_a_share_lies_between_nothing_and_all(value: object, share: float | None) -> None:
    assert loose.share(value) == share


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (3.0, 3), ("3", 3), (2.5, None), ("third", None), (-1, None), (10**30, None)]
)
def test_a_count_is_whole(value: object, count: int | None) -> None:
    assert loose.count(value) == count


@pytest.mark.parametrize("odd", ["45%", {"value": 1}, [], "soon", -1, False])
def test_a_training_in_odd_words_is_read_without_them(odd: object) -> None:
    """Progress, place and time left end no wait, and neither does the form of the object around them."""
    whole = wire.model_of({"model": {**MODEL, "trainingProgress": odd, "trainingStats": odd}})
    assert (whole.status, whole.training_started_at) == ("training", None)
    assert whole.progress in (None, Progress(stage=""))
    parts = {"stage": odd, "progress": odd, "position": odd, "remainingTimeMs": odd}
    read = wire.model_of({"model": {**MODEL, "trainingProgress": parts}}).progress
    assert read is not None
    assert (read.progress, read.position, read.remaining_s) == (None, None, None)
    job = job_answers.job_of(
        {"job": {"jobId": "j", "status": "in-progress", "progress": odd, "metadata": odd, "billing": odd}}
    )
    assert (job.status, job.progress, job.error, job.cu_cost) == ("in-progress", None, None, None)


def test_numbers_that_come_as_text_are_read() -> None:
    progress = {"stage": "running-train", "progress": "0.25", "position": "2", "remainingTimeMs": "1500"}
    model = wire.model_of({"model": {**MODEL, "trainingProgress": progress, "trainingImagesNumber": "0"}})
    assert model.progress == Progress(stage="running-train", progress=0.25, position=2, remaining_s=1.5)
    assert (model.images, model.image_count) == ((), 0)


def test_the_reason_of_a_failed_job_may_be_an_object() -> None:
    job = {"jobId": "j", "status": "failure", "metadata": {"error": {"message": "out of memory"}, "hint": 3}}
    assert (job_answers.job_of({"job": job}).error, job_answers.job_of({"job": job}).hint) == ("out of memory", None)


def test_an_odd_price_does_not_lose_a_paid_launch() -> None:
    """The training has started: its job is what matters."""
    launch = wire.launch_of({"job": {"jobId": "j", "billing": []}, "creativeUnitsCost": {"amount": 5}})
    assert (launch.job_id, launch.cu_cost) == ("j", None)
