"""Requests without a response whose age is not known, because another machine sent them and its clock may be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.recovery import IMPORT_STUCK_S, SERVICE_MAY_STILL_WORK_S, recover
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import RemoteUpload, UploadId
from scenario_apply.model.steps import CreateModel, PictureRef, PlannedStep, UploadImage
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Unanswered
from tests.fakes.bench import picture
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.state.stores.test_stuck_import import Stuck

HOUR_S = 3600.0
KAEL = parse_address("model.kael")
CREATE = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=1, name="Kael", type="flux.1-lora"))


def unanswered(clock: FakeClock, skew_s: float, *, is_foreign: bool, **details: str) -> Unanswered:
    sent_at = clock.now() + skew_s
    body = picture(1)
    ref = PictureRef(path="01.png", file="kael/01.png", sha256="0" * 64, size_bytes=len(body), mime="image/png")
    step = PlannedStep(id="s1", step=UploadImage(address=KAEL, picture=ref, way="multipart")) if details else CREATE
    return Unanswered(step=step, sent_at=sent_at, details=details, is_foreign=is_foreign)


@pytest.mark.parametrize("skew_s", [-HOUR_S, 0.0, HOUR_S])
def test_a_request_of_another_machine_is_waited_for_by_this_machines_time(skew_s: float) -> None:
    """However wrong the other's clock was: neither an hour, nor not at all."""
    clock = FakeClock()
    call = unanswered(clock, skew_s, is_foreign=True)
    recovered = recover(FakeScenario(clock), clock, State(), (call, call))
    assert recovered.state.records == {}
    assert SERVICE_MAY_STILL_WORK_S <= clock.monotonic() <= SERVICE_MAY_STILL_WORK_S + 1


@pytest.mark.parametrize(("skew_s", "least", "most"), [(-HOUR_S, 0, 0), (-6.0, 2, 3), (HOUR_S, 8, 9)])
def test_a_request_of_this_machine_is_as_old_as_it_says(skew_s: float, least: float, most: float) -> None:
    """One from the future, after this clock was set back, counts as new."""
    clock = FakeClock()
    recover(FakeScenario(clock), clock, State(), (unanswered(clock, skew_s, is_foreign=False),))
    assert least <= clock.monotonic() <= most


@pytest.mark.parametrize("skew_s", [-HOUR_S, 0.0, HOUR_S])
def test_a_stuck_import_of_another_machine_is_given_up_after_its_time_here(skew_s: float, tmp_path: Path) -> None:
    clock = FakeClock()
    service = Stuck(clock)
    upload = service.create_upload(file_name="01.png", mime="image/png", size_bytes=len(picture(1)), parts=1)
    service.put_part(upload.parts[0].url, memoryview(picture(1)))
    service.complete_upload(upload.id)
    call = unanswered(clock, skew_s, is_foreign=True, upload_id=UploadId(upload.id))
    assert recover(service, clock, State(), (call,)).adopted == ()
    assert IMPORT_STUCK_S <= clock.monotonic() <= IMPORT_STUCK_S + 15


def test_an_import_of_another_machine_that_ends_late_is_adopted() -> None:
    clock = FakeClock()

    class Slow(Stuck):
        def get_upload(self, upload_id: UploadId) -> RemoteUpload:
            self.is_stuck = clock.monotonic() < IMPORT_STUCK_S / 2
            return super().get_upload(upload_id)

    service = Slow(clock)
    upload = service.create_upload(file_name="01.png", mime="image/png", size_bytes=len(picture(1)), parts=1)
    service.put_part(upload.parts[0].url, memoryview(picture(1)))
    service.complete_upload(upload.id)
    call = unanswered(clock, -HOUR_S, is_foreign=True, upload_id=UploadId(upload.id))
    assert [one.how for one in recover(service, clock, State(), (call,)).adopted] == ["its upload was imported"]
