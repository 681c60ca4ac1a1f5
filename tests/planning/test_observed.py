"""settle(): what the service says of trainings, against what is recorded of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import JobId, ModelId, RemoteModel
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.state.state import Phase, Record, State, Version

KAEL = parse_address("model.kael")
NOW = "2026-09-21T14:13:20Z"
ID = ModelId("model_1")


def version(phase: Phase = "trained", **more: object) -> Version:
    made = Version(
        number=1,
        id=ID,
        phase=phase,
        name="Kael",
        type="flux.1-lora",
        parameters={"rank": 4},
        fingerprint="1:abc",
        job_id=JobId("job_1"),
    )
    return replace(made, **more)


def settled(
    recorded: Version,
    status: str | None,
    job: str | None,
    parameters: Mapping[str, object] | None = None,
    *,
    pending: Version | None = None,
) -> tuple[Record, tuple[Drift, ...]]:
    remote = RemoteModel(
        id=ID,
        type="flux.1-lora",
        status=status,
        parameters=parameters,
        job_id=None if job is None else JobId(job),
    )
    state = State(records={KAEL: Record(current=recorded, pending=pending)})
    observed = Observed(models={ID: remote}, asked=frozenset({ID}), refreshed=True)
    state, drift = settle(state, observed, now=NOW)
    return state.records[KAEL], drift


def test_the_same_job_is_nothing_new() -> None:
    record, drift = settled(version(), "trained", "job_1", {"rank": 99})
    assert (record.current, drift) == (version(), ())


@pytest.mark.parametrize("job", [None, "job_1"])
def test_a_service_that_names_no_job_says_nothing_of_it(job: str | None) -> None:
    """jobId is for owners, and not guaranteed in bulk answers."""
    record, drift = settled(version(), "trained", job)
    assert (record.current.job_id, record.current.fingerprint, drift) == ("job_1", "1:abc", ())


def test_a_job_that_was_not_known_is_taken_over_quietly() -> None:
    record, drift = settled(version(job_id=None), "trained", "job_1")
    assert (record.current, drift) == (version(), ())


def test_another_job_is_drift_and_its_parameters_are_what_the_model_was_trained_on() -> None:
    """Those that were recorded; what the service filled in by itself is no change."""
    recorded = version(parameters={"rank": 4, "seed": 1, "wandbKey": "(secret)"})
    record, drift = settled(recorded, "trained", "job_2", {"rank": 8.0, "unasked": 1, "wandbKey": "plain"})
    assert drift == (Drift(address=KAEL, what="training", recorded="job_1", observed="job_2"),)
    current = record.current
    assert (current.job_id, current.fingerprint) == ("job_2", None)
    assert current.parameters == {"rank": 8, "seed": 1, "wandbKey": "(secret)"}
    assert settled(current, "trained", "job_2")[1] == (), "told once it is recorded"


def test_a_parameter_in_another_form_is_as_it_was_recorded() -> None:
    """Trained again in the web app with the same learning rate, which the service shows in single precision."""
    recorded = version(parameters={"learningRate": 1e-4, "rank": 4, "seed": 7})
    shown = {"learningRate": 9.999999747378752e-05, "rank": "4", "seed": None}
    record, _ = settled(recorded, "trained", "job_2", shown)
    assert record.current.parameters == recorded.parameters


@pytest.mark.parametrize("phase", ["failed", "canceled"])
def test_one_that_failed_and_was_trained_by_somebody_is_usable_and_not_known_to_be_what_is_wanted(phase: Phase) -> None:
    record, drift = settled(version(phase, reason="it broke"), "trained", "job_2", {"rank": 8})
    assert [(item.what, item.recorded, item.observed) for item in drift] == [("status", phase, "trained")]
    assert (record.current.phase, record.current.fingerprint) == ("trained", None)
    assert (record.current.parameters, record.current.reason) == ({"rank": 8}, None)


def test_our_own_training_keeps_its_fingerprint_when_it_ends() -> None:
    """Also where the service calls it by another id than its launch did."""
    for job in (None, "job_1", "job_1b"):
        record, drift = settled(version("training"), "trained", job, {"rank": 8})
        assert (record.current.fingerprint, record.current.parameters, drift) == ("1:abc", {"rank": 4}, ())


def test_a_replacement_trained_again_is_settled_and_is_no_drift() -> None:
    """Nobody uses it yet; a replacement that failed and was trained by somebody takes over unknown."""
    current = version(id=ModelId("model_0"), number=0)
    record, drift = settled(current, "trained", "job_2", {"rank": 8}, pending=version("failed"))
    assert (record.current.id, record.current.fingerprint, drift) == (ID, None, ())


JUST_NOW, LONG_AGO = "2026-09-21T14:12:50Z", "2026-09-21T14:10:00Z"


@pytest.mark.parametrize(("status", "job"), [("new", None), ("trained", "job_0"), ("failed", "job_0")])
def test_a_model_that_was_launched_a_moment_ago_may_be_shown_as_it_was_before(status: str, job: str | None) -> None:
    """Else the training that was paid for would be launched again, or taken for the one before."""
    launched = version("training", launched_at=JUST_NOW)
    record, drift = settled(launched, status, job)
    assert (record.current, drift) == (launched, ())
    record, _ = settled(version("training", launched_at=LONG_AGO), status, job)
    assert record.current.phase != "training"


@pytest.mark.parametrize("job", ["job_1", None])
def test_a_training_that_ended_at_once_has_ended(job: str | None) -> None:
    record, _ = settled(version("training", launched_at=JUST_NOW), "trained", job)
    assert record.current.phase == "trained"
