"""planning/sample_pricing.py and what a plan makes of it: quotes, estimates, limits, few dry runs; sample_steps.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions, Prepared, make_plan
from scenario_apply.errors import ApiError, Refused, Unreachable, UsageError
from scenario_apply.manifest.spec import Import, ModelSpec, SamplesSpec
from scenario_apply.model.address import Address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import Generation, GenerationPrice, SampleSettings
from scenario_apply.model.steps import AttachImages, AwaitSample, AwaitTraining, DrawSample, UpdateModel, UploadImage
from scenario_apply.planning.changes import Action, Cost
from scenario_apply.planning.plan_comparison import differences
from scenario_apply.planning.plan_reader import plan_from_json
from scenario_apply.review.plan_json import plan_values
from scenario_apply.state.state import Record, State
from tests.planning.decisions import IMAGES, KAEL, recorded, version
from tests.planning.manifests import HERE, dataset, manifest, model
from tests.planning.situations import NOW, Service, as_text, world_of
from tests.planning.test_owed_samples import drawn, kael, sample, with_samples

FOUR = tuple(map(sample, ("rain", "night", "snow", "fog")))


def prepared(
    *specs: ModelSpec, state: State | None = None, service: Service | None = None, **options: Any
) -> tuple[Prepared, Service]:
    """A plan and the service that it asked; options: fields of PlanOptions."""
    state = State() if state is None else state
    service = service or Service.as_recorded(state)
    world = world_of(service if options.get("refresh", True) else None, state)
    return make_plan(world, manifest(*specs), {"set": dataset("set", IMAGES)}, PlanOptions(**options), NOW), service


def cost(*specs: ModelSpec, **more: Any) -> Cost:
    """Of the samples of model.kael."""
    made, _ = prepared(*specs, **more)
    return next(change.samples.cost for change in made.plan.changes if change.address == KAEL)


def test_samples_of_a_trained_model_are_quoted_with_it_by_one_dry_run_for_all_of_the_same_settings() -> None:
    made, service = prepared(kael(*FOUR), state=recorded())
    change = made.plan.changes[0]
    assert (change.action, change.change_class) == (Action.UPDATE, "samples")
    assert (change.samples.each, change.samples.cost) == (10.75, Cost(cu=43, source="quoted"))
    assert service.reads.count("sample quote") == 1
    assert (made.plan.cu, made.plan.samples_cu, made.plan.training_cu) == (43, 43, 0)


def test_settings_that_cost_otherwise_are_quoted_by_themselves_and_scales_are_not() -> None:
    two = sample("night", settings=SampleSettings(count=2))
    weak = sample("fog", settings=SampleSettings(scale=0.5))
    made, service = prepared(kael(sample("rain"), two, weak), state=recorded())
    samples = made.plan.changes[0].samples
    assert (samples.each, samples.cost.cu, samples.pictures) == (None, 43, 4)
    assert service.reads.count("sample quote") == 2


def test_one_dry_run_serves_all_models_of_a_base_and_each_is_quoted_again_before_it_draws() -> None:
    """The plan says with whose model it was asked; that of a resource which was not asked is no quote to launch by."""
    others = [replace(model(f"m{n}"), samples=SamplesSpec(samples=FOUR)) for n in range(3)]
    state = recorded()
    for n, spec in enumerate(others):
        at = replace(version(), id=ModelId(f"other{n}"))
        state = state.with_record(spec.address, Record(current=at))
    made, service = prepared(kael(*FOUR), *others, state=state)
    costs = {str(change.address): change.samples.cost for change in made.plan.changes}
    assert costs["model.kael"] == Cost(cu=43, source="quoted")
    assert {costs[f"model.m{n}"] for n in range(3)} == {Cost(cu=43, source="quoted", basis="model.kael")}
    assert service.reads.count("sample quote") == 1


def test_a_model_that_is_refused_a_price_does_not_speak_for_the_others() -> None:
    class Restricted(Service):
        def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
            price = super().quote_generation(base, generation)
            if generation.lora == recorded().records[KAEL].current.id:
                raise Refused("a higher plan is needed", status=403)
            return price

    other = replace(model("zoe"), samples=SamplesSpec(samples=FOUR))
    state = recorded().with_record(other.address, Record(current=replace(version(), id=ModelId("other"))))
    made, _ = prepared(kael(*FOUR), other, state=state, service=Restricted.as_recorded(state))
    costs = [c.samples.cost for c in made.plan.changes]
    assert costs == [Cost(cu=None, source="unknown", why="refused"), Cost(cu=43, source="quoted")]


def test_before_its_training_a_price_is_estimated_with_another_model_of_the_type_or_with_the_base_alone() -> None:
    assert cost(kael(*FOUR)) == Cost(cu=43, source="estimate", basis="model_bfl-flux-1-dev")
    other = Address("model", "old")
    state = State(records={other: replace(recorded().records[KAEL])})
    made = cost(kael(*FOUR), replace(model("old"), name="kael"), state=state)
    assert made == Cost(cu=43, source="estimate", basis="model.old")


def test_no_price_is_asked_for_with_a_model_that_was_deleted() -> None:
    """A dry run with it would be refused; another one of the type, or the base alone, gives an estimate."""
    state = recorded()
    service = Service.as_recorded(state)
    del service.models[state.records[KAEL].current.id]
    assert cost(kael(*FOUR), state=state, service=service) == Cost(
        cu=43, source="estimate", basis="model_bfl-flux-1-dev"
    )


def test_without_the_service_the_price_is_that_of_past_samples_or_unknown() -> None:
    assert cost(kael(*FOUR), state=recorded(), refresh=False) == Cost(cu=None, source="unknown", why="not-asked")
    state = with_samples(drawn(FOUR[0], charged=10.75))
    assert cost(kael(*FOUR), state=state, refresh=False) == Cost(cu=32.25, source="history", basis="2026-11-01")


@pytest.mark.parametrize(
    ("error", "why", "notes"),
    [(Refused("no", status=400), "refused", 0), (Unreachable("down"), "failed", 1)],
    ids=["refused", "down"],
)
def test_a_price_that_cannot_be_had_is_unknown_and_stops_no_plan(error: ApiError, why: str, notes: int) -> None:
    service = Service.as_recorded(recorded())
    service.samples_fail = error
    two = sample("night", settings=SampleSettings(count=2))
    made, _ = prepared(kael(sample("rain"), two), state=recorded(), service=service)
    assert made.plan.changes[0].total_cost == Cost(cu=None, source="unknown", why=why)  # type: ignore[arg-type]  # as parametrized
    assert sum(problem.code == "price-unknown" for problem in made.plan.diagnostics) == notes
    assert made.plan.cu is None


def test_the_cost_of_a_change_is_that_of_its_training_and_its_samples() -> None:
    made, _ = prepared(kael(*FOUR, parameters={"nbEpochs": 12}), state=recorded())
    change = made.plan.changes[0]
    assert change.cost.cu is not None
    assert change.total_cost.cu == change.cost.cu + 43 == made.plan.cu
    plain = plan_values(made.plan)
    assert plain["changes"][0]["cost"]["training"]["cu"] == change.cost.cu  # type: ignore[index]  # as written
    assert plain["changes"][0]["samples"]["each"] == 10.75  # type: ignore[index]  # as written
    assert plain["cost"]["samples"]["cu"] == 43  # type: ignore[index]  # as written


@pytest.mark.parametrize(
    ("limits", "stopped"),
    [
        (Limits(samples_cost=43), []),
        (Limits(samples_cost=42), ["samples_cost: 43 is over the limit of 42"]),
        (Limits(cost=42), ["cost: 43 is over the limit of 42"]),
        (Limits(changes_percent=10), []),
    ],
    ids=["enough", "samples", "all", "no change of content"],
)
def test_limits_judge_samples_alone_and_with_all_else(limits: Limits, stopped: list[str]) -> None:
    made, _ = prepared(kael(*FOUR), state=recorded(), limits=limits)
    assert [problem.message for problem in made.plan.blocked] == stopped
    assert made.plan.is_gated == bool(stopped)


def test_each_sample_is_a_step_and_a_wait_after_the_training_and_nothing_depends_on_it() -> None:
    made, _ = prepared(kael(sample("rain"), sample("night")))
    steps = made.plan.steps
    wait = next(planned for planned in steps if isinstance(planned.step, AwaitTraining))
    draws = [planned for planned in steps if isinstance(planned.step, DrawSample)]
    assert [planned.after for planned in draws] == [(wait.id,), (wait.id,)]
    ends = [planned for planned in steps if isinstance(planned.step, AwaitSample)]
    assert [planned.after for planned in ends] == [(draw.id,) for draw in draws]
    needed = {need for planned in steps if not isinstance(planned.step, AwaitSample) for need in planned.after}
    assert needed.isdisjoint(planned.id for planned in draws)
    assert made.plan.requests_by_step["sample"] == 2


def test_the_picture_of_an_edit_is_the_known_asset_or_uploaded_once() -> None:
    edits = tuple(sample(prompt, base="model_flux-kontext-editing", reference="01.png") for prompt in ("rain", "night"))
    spec = kael(*edits, type="flux.1-kontext-lora")
    made, _ = prepared(spec, state=recorded(version(type="flux.1-kontext-lora")))
    draws = [planned.step for planned in made.plan.steps if isinstance(planned.step, DrawSample)]
    assert [step.reference.id for step in draws if step.reference is not None] == ["a1", "a1"]
    outside = dataset("set", IMAGES)
    outside = replace(outside, references={"refs/x.png": replace(IMAGES[0], sha256="f" * 64)})
    world = world_of(Service.as_recorded(recorded()), State())
    edits = tuple(replace(edit, reference="refs/x.png") for edit in edits)
    plan = make_plan(
        world, manifest(kael(*edits, type="flux.1-kontext-lora")), {"set": outside}, PlanOptions(), NOW
    ).plan
    uploads = [p.id for p in plan.steps if isinstance(p.step, UploadImage) and p.step.picture.sha256 == "f" * 64]
    assert len(uploads) == 1
    references = [p.step.reference for p in plan.steps if isinstance(p.step, DrawSample)]
    assert [None if ref is None else ref.step for ref in references] == [uploads[0], uploads[0]]
    assert not any(
        attached.asset.step == uploads[0]
        for planned in plan.steps
        if isinstance(planned.step, AttachImages)
        for attached in planned.step.images
    )


def test_a_plan_that_only_waits_for_samples_is_a_wait_and_nothing_else() -> None:
    made, _ = prepared(kael(sample("rain")), state=with_samples(drawn(sample("rain"), "drawing")))
    assert [change.action for change in made.plan.changes] == [Action.WAIT]
    assert made.plan.only_waits
    assert made.plan.requests_by_step == {"wait": 3}


def test_a_model_that_waits_for_its_training_and_then_draws_does_not_only_wait() -> None:
    made, _ = prepared(kael(sample("rain")), state=recorded(version(phase="training")))
    assert not made.plan.only_waits


def test_a_saved_plan_keeps_its_samples_and_a_changed_one_does_not_fit() -> None:
    made, _ = prepared(kael(*FOUR), state=recorded())
    saved = plan_from_json(json.loads(as_text(plan_values(made.plan))))
    assert saved == made.plan
    assert differences(saved, made.plan) == []
    other, _ = prepared(kael(*FOUR[:3], sample("sun", name="fog")), state=recorded())
    assert [problem.message for problem in differences(saved, other.plan)] == [
        "model.kael: its step sample differs from what planning gives (sample)"
    ]


def test_a_sample_that_ended_since_does_not_make_a_saved_plan_stale() -> None:
    """One is waited for and one is drawn; by the time of the apply the first has ended."""
    specs = kael(sample("rain"), sample("night"))
    before, _ = prepared(specs, state=with_samples(drawn(sample("rain"), "drawing")))
    after, _ = prepared(specs, state=with_samples(drawn(sample("rain"))))
    assert differences(before.plan, after.plan) == []


@pytest.mark.parametrize("more", [{}, {"name": "Kael 2"}, {"epoch": 8}], ids=["alone", "name", "epoch"])
def test_a_training_that_ended_since_does_not_make_a_saved_plan_of_samples_stale(more: dict[str, Any]) -> None:
    """The plan waits for it and then draws; by the time of the apply there is nothing to wait for."""
    spec = replace(kael(sample("rain")), **more)
    before, _ = prepared(spec, state=recorded(version(phase="training")))
    after, _ = prepared(spec, state=recorded())
    assert [before.plan.changes[0].action, after.plan.changes[0].action] == [Action.WAIT, Action.UPDATE]
    assert differences(before.plan, after.plan) == []
    failed, _ = prepared(spec, state=recorded(version(phase="failed")))
    assert " 1 train, " in differences(before.plan, failed.plan)[0].message


def test_a_saved_plan_approves_no_dearer_samples() -> None:
    made, _ = prepared(kael(*FOUR), state=recorded())
    cheap = replace(made.plan, changes=tuple(_cheaper(change) for change in made.plan.changes))
    assert [problem.message for problem in differences(cheap, made.plan)] == [
        "model.kael: it costs 43 CU now, 10 CU in the plan"
    ]


def _cheaper(change: Any) -> Any:
    return replace(change, samples=replace(change.samples, cost=Cost(cu=10, source="quoted")))


@pytest.mark.parametrize(("where", "value"), [("count", 3), ("pictures", 9)], ids=["fewer samples", "more pictures"])
def test_a_plan_file_whose_samples_do_not_add_up_is_refused(where: str, value: int) -> None:
    made, _ = prepared(kael(*FOUR), state=recorded())
    plain = json.loads(as_text(plan_values(made.plan)))
    plain["changes"][0]["samples"][where] = value
    with pytest.raises(UsageError, match=r"the samples of model\.kael are not those"):
        plan_from_json(plain)


def test_a_plan_without_samples_asks_for_nothing_more() -> None:
    spec = replace(kael(), samples=SamplesSpec())
    _, service = prepared(spec, state=recorded())
    assert service.reads == ["get-bulk"]


def test_a_plan_whose_samples_are_all_drawn_asks_for_nothing_more() -> None:
    done = tuple(drawn(spec) for spec in FOUR)
    made, service = prepared(kael(*FOUR), state=with_samples(*done))
    assert not made.plan.has_changes
    assert service.reads == ["get-bulk"]


def test_an_imported_model_draws_with_the_version_that_it_is_recorded_as() -> None:
    """Its record comes with the same plan, before the first step."""
    service = Service.as_recorded(recorded())
    made = manifest(kael(sample("rain")))
    block = Import(target=KAEL, model_id="m1", place=HERE)
    plan = make_plan(
        world_of(service, State()), replace(made, imports=(block,)), {"set": dataset("set", IMAGES)}, PlanOptions(), NOW
    ).plan
    assert [change.action for change in plan.changes] == [Action.IMPORT]
    assert [p.step.number for p in plan.steps if isinstance(p.step, DrawSample)] == [1]
    assert plan.cu == 10.75


def test_samples_of_another_epoch_are_drawn_once_it_is_chosen() -> None:
    made, _ = prepared(kael(sample("rain"), epoch="3"), state=with_samples(drawn(sample("rain"))))
    chosen = next(p for p in made.plan.steps if isinstance(p.step, UpdateModel) and p.step.epoch == "3")
    draw = next(p for p in made.plan.steps if isinstance(p.step, DrawSample))
    assert draw.after == (chosen.id,)
    assert made.plan.changes[0].change_class == "samples"
