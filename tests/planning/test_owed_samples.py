"""planning/owed_samples.py: which samples a resource owes, to which version, and why."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.dataset.types import Pair
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec, Lifecycle, Manifest, ModelSpec, SampleSpec, SamplesSpec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import JobId, ModelId
from scenario_apply.model.sample_bases import SampleBase, WantedBase
from scenario_apply.model.samples import SampleEvent, SampleSettings, derived_seed
from scenario_apply.planning.decide import decide
from scenario_apply.planning.desired import desire
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.owed_samples import (
    SamplePlan,
    SampleWork,
    has_samples,
    plan_samples,
    samples_alone,
)
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.sample_reasons import SampleFailed, SamplesChanged, SamplesDrawing, SamplesMissing
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.state.state import Record, SamplePhase, SampleRecord, State, Version
from tests.planning.decisions import IMAGES, INK, KAEL, gone, recorded, version
from tests.planning.manifests import HERE, composition, dataset, manifest, model, part, picture

PROMPTS = ("rain", "night")
BASE = SampleBase(id=ModelId("b1"))
EDIT = SampleBase(id=ModelId("edit"), needs_reference=True)
AT = "2026-11-01T10:00:00Z"


def sample(prompt: str, address: Address = KAEL, **more: Any) -> SampleSpec:
    """A sample of that prompt, which is its name, too; more: fields of SampleSpec."""
    values: dict[str, Any] = {"name": prompt, "seed": derived_seed(address, prompt), "place": HERE} | more
    return SampleSpec(prompt=prompt, **values)


def kael(*samples: SampleSpec, on: tuple[SampleEvent, ...] = ("trained", "manual"), **more: Any) -> ModelSpec:
    """model.kael as decisions.version records it; more: fields of ModelSpec."""
    return replace(model("kael"), samples=SamplesSpec(samples=samples or tuple(map(sample, PROMPTS)), on=on), **more)


def inputs(made: Manifest, state: State, observed: Observed | None = None, **asked: Any) -> Inputs:
    """asked: fields of PlanRequestOptions."""
    return Inputs(
        desired=desire(made, {"set": dataset("set", IMAGES)}),
        state=state,
        observed=observed or Observed(),
        asked=PlanRequestOptions(**asked),
    )


def no_base(wanted: WantedBase) -> Diagnostic:
    return Diagnostic(code="sample-base", message=f"nothing draws {wanted.type}", hint="base:")


def planned(
    *specs: ModelSpec | CompositionSpec, state: State | None = None, find_base: Any = no_base, **more: Any
) -> SamplePlan:
    """more: see inputs()."""
    given = inputs(manifest(*specs), State() if state is None else state, **more)
    decisions = decide(given) if given.asked.draw is None else samples_alone(given)
    return plan_samples(given, decisions, find_base)


def work(*args: Any, address: Address = KAEL, **more: Any) -> SampleWork | None:
    return planned(*args, **more).works.get(address)


def drawn(spec: SampleSpec, phase: SamplePhase = "drawn", of: Version | None = None, **more: Any) -> SampleRecord:
    """The record of a sample of model.kael; of: the version whose weights drew it. more: fields of SampleRecord."""
    plan = planned(kael(spec), state=recorded())
    request = plan.works[KAEL].draw[0].request
    values: dict[str, Any] = {"training": None if of is None else of.launched_at, "job_id": JobId("job1")} | more
    return SampleRecord(request=request, phase=phase, at=AT, **values)


def with_samples(*records: SampleRecord, **more: Any) -> State:
    """The trained version of model.kael with those samples; more: fields of Version."""
    return recorded(version(samples=records, **more))


def names(found: SampleWork | None) -> list[str]:
    return [] if found is None else [one.request.name for one in found.draw]


# -- who draws


def test_a_new_model_draws_all_after_its_training_as_version_one() -> None:
    found = work(kael())
    assert found is not None
    assert (names(found), found.number, found.weights) == (list(PROMPTS), 1, None)


def test_an_unchanged_trained_model_owes_what_is_not_recorded_of_its_weights() -> None:
    found = work(kael(), state=with_samples(drawn(sample("rain"))))
    assert found is not None
    assert (names(found), found.reasons) == (["night"], (SamplesMissing(("night",)),))
    assert found.weights is not None
    assert found.weights.id == "m1"


def test_nothing_is_owed_once_all_are_drawn() -> None:
    assert work(kael(), state=with_samples(*(drawn(sample(prompt)) for prompt in PROMPTS))) is None


def test_a_replacement_draws_with_the_number_of_the_new_version_and_the_old_one_draws_nothing() -> None:
    found = work(kael(parameters={"nbEpochs": 12}), state=with_samples())
    assert found is not None
    assert (names(found), found.number, found.weights) == (list(PROMPTS), 2, None)


def test_a_training_in_place_owes_all_again() -> None:
    before = version(launched_at="2026-11-01T00:00:00Z")
    done = tuple(drawn(sample(prompt), of=before) for prompt in PROMPTS)
    spec = kael(parameters={"nbEpochs": 12}, lifecycle=Lifecycle(on_change="retrain"))
    found = work(spec, state=recorded(replace(before, samples=done)))
    assert found is not None
    assert (names(found), found.number) == (list(PROMPTS), 1)


def test_samples_of_an_earlier_training_do_not_count() -> None:
    """The training in place has ended by now: what its weights owe is drawn."""
    before = version(launched_at="2026-11-01T00:00:00Z")
    state = recorded(version(launched_at="2026-11-02T00:00:00Z", samples=(drawn(sample("rain"), of=before),)))
    assert names(work(kael(sample("rain")), state=state)) == ["rain"]


def test_a_running_training_is_followed_by_its_samples_unless_the_manifest_asks_for_another_one() -> None:
    running = version(phase="training", launched_at=AT)
    assert names(work(kael(), state=recorded(running))) == list(PROMPTS)
    assert work(kael(parameters={"nbEpochs": 12}), state=recorded(running)) is None


def test_a_chosen_epoch_owes_its_own() -> None:
    """The samples that were drawn before the choice are of other weights."""
    found = work(kael(sample("rain"), epoch="3"), state=with_samples(drawn(sample("rain"))))
    assert names(found) == ["rain"]
    chosen = with_samples(drawn(sample("rain"), epoch="3"), epoch="3")
    assert work(kael(sample("rain"), epoch="3"), state=chosen) is None


def test_a_rollback_owes_the_samples_of_the_version_in_use() -> None:
    held = version(2, parameters={"nbEpochs": 12})
    state = recorded(version(1), previous=(held,), held=version(2).fingerprint)
    found = work(kael(), state=state)
    assert found is not None
    assert found.number == 1


def test_a_composition_draws_by_its_own_base() -> None:
    ink = composition("ink", [part("kael")], samples=SamplesSpec(samples=(sample("rain", INK),)))
    found = work(kael(), ink, address=INK)
    assert found is not None
    assert found.draw[0].request.base == "model_bfl-flux-1-dev"
    assert found.draw[0].request.settings.scale is None


def test_children_of_a_matrix_draw_with_the_same_seeds() -> None:
    seeds = set()
    for label in ("slow", "fast"):
        address = Address("model", "lr", label)
        spec = model("lr", label=label, samples=SamplesSpec(samples=(sample("rain", address),)))
        found = work(spec, address=address)
        assert found is not None
        seeds.add(found.draw[0].request.seed)
    assert len(seeds) == 1


@pytest.mark.parametrize(
    ("spec", "state", "asked"),
    [
        (kael(enabled=False), recorded(), {}),
        (kael(), recorded(), {"selected": frozenset()}),
        (kael(lifecycle=Lifecycle(train="manual")), State(), {}),
        (kael(on=("manual",)), recorded(), {}),
        (kael(), recorded(), {"destroy": True}),
    ],
    ids=["disabled", "not selected", "not trained", "only when asked for", "destroyed"],
)
def test_nothing_is_drawn_for(spec: ModelSpec, state: State, asked: dict[str, Any]) -> None:
    assert work(spec, state=state, **asked) is None


def test_a_model_that_is_no_longer_declared_draws_nothing() -> None:
    assert planned(state=recorded()).works == {}


def test_a_model_that_was_deleted_on_the_service_draws_after_its_new_training_and_waits_for_nothing() -> None:
    state = with_samples(drawn(sample("rain"), "drawing"))
    found = work(kael(sample("rain")), state=state, observed=gone("m1"))
    assert found is not None
    assert (names(found), found.number, found.waiting) == (["rain"], 2, ())


# -- why


def test_a_changed_prompt_draws_that_one_only_and_says_what_it_was() -> None:
    state = with_samples(drawn(sample("rain")), drawn(sample("night")))
    found = work(kael(sample("rain in town", name="rain"), sample("night")), state=state)
    assert found is not None
    assert (found.reasons, found.draw[0].previous) == ((SamplesChanged(("rain",)),), "rain")


@pytest.mark.parametrize(
    "more",
    [{"seed": 7}, {"base": "b1"}, {"settings": SampleSettings(scale=0.5)}, {"settings": SampleSettings(count=2)}],
)
def test_another_seed_base_or_setting_is_another_sample(more: dict[str, Any]) -> None:
    found = work(kael(sample("rain", **more)), state=with_samples(drawn(sample("rain"))), find_base=lambda wanted: BASE)
    assert found is not None
    assert (found.reasons, found.draw[0].previous) == ((SamplesChanged(("rain",)),), None)


def test_another_name_draws_nothing() -> None:
    assert work(kael(sample("rain", name="wet")), state=with_samples(drawn(sample("rain")))) is None


def test_a_sample_that_is_no_longer_declared_stays_recorded_and_nothing_happens() -> None:
    assert work(kael(sample("rain")), state=with_samples(drawn(sample("rain")), drawn(sample("night")))) is None


def test_a_failed_sample_is_owed_again_with_its_reason() -> None:
    found = work(kael(sample("rain")), state=with_samples(drawn(sample("rain"), "failed", reason="too dark")))
    assert found is not None
    assert (names(found), found.reasons) == (["rain"], (SampleFailed("rain", "too dark"),))


# -- waiting


def test_a_sample_that_is_being_drawn_is_waited_for_and_not_drawn_again() -> None:
    found = work(kael(sample("rain")), state=with_samples(drawn(sample("rain"), "drawing")))
    assert found is not None
    assert (names(found), found.drawing) == ([], (SamplesDrawing(("rain",)),))


def test_samples_of_the_version_that_is_replaced_are_waited_for_as_well() -> None:
    state = with_samples(drawn(sample("old"), "drawing"))
    found = work(kael(sample("rain"), parameters={"nbEpochs": 12}), state=state)
    assert found is not None
    assert [(one.number, one.name) for one in found.waiting] == [(1, "old")]
    assert (names(found), found.number) == (["rain"], 2)


def test_what_is_drawn_again_with_newer_weights_of_the_same_version_is_not_waited_for() -> None:
    """The two would have one key: the older one is waited for by a later run."""
    before = version(launched_at="2026-11-01T00:00:00Z")
    state = recorded(
        version(launched_at="2026-11-02T00:00:00Z", samples=(drawn(sample("rain"), "drawing", of=before),))
    )
    found = work(kael(sample("rain")), state=state)
    assert found is not None
    assert (names(found), found.waiting) == (["rain"], ())


# -- seeds


def test_a_renamed_model_is_not_drawn_again_and_its_next_version_keeps_the_seeds() -> None:
    """A derived seed depends on the address: the one that drew the prompt first is kept."""
    old = drawn(sample("rain"))
    hero = Address("model", "hero")
    spec = replace(kael(), address=hero, name="kael", samples=SamplesSpec(samples=(sample("rain", hero),)))
    state = State(records={hero: Record(current=version(samples=(old,)))})
    assert work(spec, state=state, address=hero) is None
    found = work(replace(spec, parameters={"nbEpochs": 12}), state=state, address=hero)
    assert found is not None
    assert found.draw[0].request.seed == old.request.seed


def test_a_seed_that_is_given_is_no_other_samples_derived_one() -> None:
    """Of two samples of one prompt, the one without a seed does not take over the other one's."""
    state = with_samples(drawn(sample("rain", seed=7)))
    found = work(kael(sample("rain", seed=7), sample("rain", name="again")), state=state)
    assert found is not None
    assert [(one.request.name, one.request.seed) for one in found.draw] == [("again", derived_seed(KAEL, "rain"))]


# -- bases and pictures


def test_a_base_is_looked_up_for_a_type_that_is_not_in_the_table_and_stays_what_drew_before() -> None:
    asked: list[WantedBase] = []

    def find(wanted: WantedBase) -> SampleBase:
        asked.append(wanted)
        return BASE

    spec = kael(sample("rain"), type="new-lora")
    found = work(spec, find_base=find)
    assert found is not None
    assert (found.draw[0].request.base, asked) == ("b1", [WantedBase("new-lora")])
    done = SampleRecord(request=found.draw[0].request, phase="drawn", at=AT)
    state = recorded(version(type="new-lora", samples=(done,)))
    again = work(replace(spec, parameters={"nbEpochs": 12}), state=state, find_base=no_base)
    assert again is not None
    assert again.draw[0].request.base == "b1"


def test_an_unknown_base_is_one_problem_with_its_place_and_others_are_planned() -> None:
    plan = planned(kael(type="new-lora"), model("props", samples=SamplesSpec(samples=(sample("key"),))))
    assert [(p.message, p.location) for p in plan.problems] == [("model.kael: nothing draws new-lora", HERE)]
    assert list(plan.works) == [Address("model", "props")]


def test_the_scale_of_a_lora_is_always_sent() -> None:
    found = work(kael(sample("rain"), sample("night", settings=SampleSettings(scale=0.8))))
    assert found is not None
    assert [one.request.settings.scale for one in found.draw] == [1.0, 0.8]


def test_a_base_that_edits_takes_the_named_picture_or_asks_for_one() -> None:
    found = work(kael(sample("rain", base="edit", reference="02.png")), find_base=lambda wanted: EDIT)
    assert found is not None
    assert found.draw[0].request.reference == IMAGES[1].sha256
    plan = planned(kael(sample("rain", base="edit")), find_base=lambda wanted: EDIT)
    assert [problem.code for problem in plan.problems] == ["sample-reference"]
    pairs = [Pair(before="a.png", after="b.png", instruction="paint it")]
    given = Inputs(
        desired=desire(
            manifest(kael(sample("rain", base="edit"))),
            {"set": dataset("set", [picture("a.png", "ash"), picture("b.png", "elm")], pairs)},
        ),
        state=State(),
        observed=Observed(),
        asked=PlanRequestOptions(),
    )
    works = plan_samples(given, decide(given), lambda wanted: EDIT).works
    assert works[KAEL].draw[0].request.reference == picture("a.png", "ash").sha256


# -- samples draw


def test_samples_draw_trains_nothing_and_draws_with_the_trained_version_also_when_they_are_manual() -> None:
    spec = kael(on=("manual",), parameters={"nbEpochs": 12})
    found = work(spec, state=with_samples(drawn(sample("rain"))), draw=frozenset({KAEL}))
    assert found is not None
    assert (names(found), found.number) == (["night"], 1)


def test_samples_draw_says_which_resources_are_not_trained_yet() -> None:
    given = inputs(manifest(kael()), State(), draw=frozenset({KAEL}))
    assert [p.code for d in samples_alone(given).values() for p in d.resource.problems] == ["samples-untrained"]


def test_a_plan_without_samples_is_recognised_before_anything_is_looked_up() -> None:
    assert not has_samples(inputs(manifest(model("kael")), recorded()))
    assert has_samples(inputs(manifest(model("kael")), with_samples(drawn(sample("rain")))))
    assert has_samples(inputs(manifest(kael()), State()))
