"""planning/decide.py and training_rules.py: one test per rule, in the order the rules apply."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.manifest.spec import Import, Lifecycle, Moved, OnChange, Removed
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning import reasons as why
from scenario_apply.planning.decide import DECLARED, UNDECLARED, desired_fingerprint
from scenario_apply.planning.decision import (
    Complete,
    Create,
    Decision,
    Delete,
    Forget,
    Keep,
    Relabel,
    Replace,
    Retrain,
    Wait,
)
from scenario_apply.planning.desired import desire
from scenario_apply.planning.state_edit import StateEdit, edited
from scenario_apply.state.state import State
from tests.planning.decisions import (
    HELD,
    IMAGES,
    INK,
    KAEL,
    MANIFEST,
    SPEC,
    decided,
    decisions,
    declared,
    gone,
    held,
    ink,
    recorded,
    seen,
    version,
)
from tests.planning.manifests import HERE, composition, dataset, manifest, model, part, picture

OTHER_EPOCHS = declared(parameters={"nbEpochs": 12})
EPOCHS = why.ParameterChanged("nbEpochs", 10, 12)
NOTHING = manifest()


def with_lifecycle(on_change: OnChange | None = None, **more: object) -> Decision:
    lifecycle = Lifecycle(on_change=on_change, **more)  # type: ignore[arg-type]  # fields by name
    return decided(declared(parameters={"nbEpochs": 12}, lifecycle=lifecycle))


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.__name__ for rule in (*DECLARED, *UNDECLARED)]
    assert len(set(names)) == len(names) - 1, "not_selected is the first rule of both"


def test_what_is_not_selected_is_left_alone() -> None:
    decision = decided(OTHER_EPOCHS, selected=frozenset())
    assert isinstance(decision, Keep)
    assert decision.notes == (why.NotSelected(),)
    assert not decision.edit


def test_what_is_disabled_is_left_alone() -> None:
    decision = decided(declared(enabled=False, parameters={}))
    assert (type(decision), decision.notes) == (Keep, (why.Disabled(),))


def test_an_import_block_records_a_model_first() -> None:
    block = Import(target=KAEL, model_id="m1", place=HERE)
    observed = replace(seen(images=HELD, name="kael", parameters={"nbEpochs": 10}), own=None)
    observed = replace(observed, owners=frozenset({"us"}), own=tuple(observed.models.values()))
    decision = decided(replace(MANIFEST, imports=(block,)), State(), observed)
    assert decision.reasons[0] == why.Imported(ModelId("m1"))
    assert decision.edit.record is not None


def test_an_import_of_what_does_not_exist_is_an_error() -> None:
    block = Import(target=KAEL, model_id="m1", place=HERE)
    decision = decided(replace(MANIFEST, imports=(block,)), State(), gone("m1"))
    assert isinstance(decision, Keep)
    assert [problem.code for problem in decision.resource.problems] == ["import-nothing"]


def test_ignored_changes_are_no_changes() -> None:
    assert isinstance(with_lifecycle(ignore_changes=("parameters",)), Keep)


def test_a_composition_of_what_is_not_trained_waits_for_it() -> None:
    made = manifest(model("kael", lifecycle=Lifecycle(train="manual")), composition("ink", [part("kael")]))
    decision = decisions(made, State())[INK]
    assert isinstance(decision, Keep)
    assert [problem.code for problem in decision.resource.problems] == ["untrained-part"]


def test_protection_is_recorded() -> None:
    decision = decided(declared(lifecycle=Lifecycle(prevent_destroy=True)))
    assert isinstance(decision, Relabel)
    assert decision.reasons == (why.ProtectionChanged(True),)
    assert decision.edit == StateEdit(protect=True)


def test_what_is_not_recorded_is_created() -> None:
    decision = decided(state=State())
    assert isinstance(decision, Create)
    assert decision.reasons == (why.NotCreated(),)
    assert decision.trains


def test_what_was_deleted_on_the_service_is_created_again() -> None:
    decision = decided(observed=gone("m1"))
    assert isinstance(decision, Create)
    assert decision.reasons == (why.RemotelyDeleted(ModelId("m1")),)
    assert decision.edit.gone
    assert [drift.what for drift in decision.resource.drift] == ["model"]


def test_a_rollback_pins_a_version_until_the_manifest_changes() -> None:
    wanted = version(parameters={"nbEpochs": 12}).fingerprint
    pinned = decided(OTHER_EPOCHS, recorded(held=wanted))
    assert isinstance(pinned, Keep)
    assert pinned.notes == (why.RollbackPinned(KAEL, 1),)
    ended = decided(declared(parameters={"nbEpochs": 14}), recorded(held=wanted))
    assert isinstance(ended, Replace)
    assert ended.edit.unhold


def test_a_running_training_is_waited_for() -> None:
    decision = decided(OTHER_EPOCHS, recorded(version(phase="training")))
    assert isinstance(decision, Wait)
    assert decision.reasons == (why.TrainingRunning(),)
    assert decision.notes == (why.ManifestChangedMeanwhile(),)


def test_a_replacement_is_discarded_once_the_manifest_is_back_at_the_current_version() -> None:
    pending = version(2, parameters={"nbEpochs": 12}, phase="failed")
    decision = decided(state=recorded(pending=pending))
    assert isinstance(decision, Relabel)
    assert decision.reasons == (why.ManifestReverted(), why.ReplacementDiscarded())
    assert decision.edit.discard_pending


def test_a_kept_version_that_is_wanted_again_becomes_current_for_nothing() -> None:
    """To train the same pictures, captions and parameters again would be to pay twice."""
    state = recorded(version(2, parameters={"nbEpochs": 12}), previous=(version(1),))
    decision = decided(state=state)
    assert isinstance(decision, Relabel)
    assert decision.reasons == (why.VersionRestored(1),)
    after = edited(state, {KAEL: decision.edit}).records[KAEL]
    assert (after.current.number, [v.number for v in after.previous]) == (1, [2])
    again = decided(state=replace(state, records={KAEL: after}))
    assert (type(again), again.reasons) == (Keep, ())


def test_a_copy_of_an_image_with_the_same_caption_asks_for_no_training() -> None:
    """It is the same asset, attached once: the training set stays what it was. With another caption it is another."""
    copy = replace(IMAGES[0], path="copy.png", file="set/copy.png")
    assert isinstance(decided(images=(*IMAGES, copy)), Keep)
    assert isinstance(decided(images=(*IMAGES, replace(copy, caption="KAEL, another"))), Replace)


def test_a_version_that_is_gone_or_asked_to_be_replaced_is_not_restored() -> None:
    """What the service deleted cannot come back, and --replace means a new training."""
    state = recorded(version(2, parameters={"nbEpochs": 12}), previous=(version(1),))
    assert isinstance(decided(state=state, observed=gone("m1")), Replace)
    assert isinstance(decided(state=state, replace=frozenset({KAEL})), Replace)


def test_content_that_was_changed_on_the_service_is_drift_and_set_back() -> None:
    images = (held("a1", "01.png", "theirs"), HELD[1])
    decision = decided(observed=seen(images=images))
    assert isinstance(decision, Replace)
    assert decision.reasons == (why.DriftFound("caption-changed", "01.png"),)
    assert [drift.path for drift in decision.resource.drift] == ["01.png"]


@pytest.mark.parametrize(
    ("phase", "reason"),
    [("building", why.NotTrained()), ("failed", why.TrainingEnded("failed", "too dark"))],
)
def test_an_unfinished_version_is_completed_in_place(phase: str, reason: why.Reason) -> None:
    decision = decided(state=recorded(version(phase=phase, reason="too dark")))
    assert isinstance(decision, Complete)
    assert decision.reasons == (reason,)
    assert decision.target is not None


def test_an_unfinished_version_of_another_type_is_replaced() -> None:
    decision = decided(state=recorded(version(phase="building", type="sd-xl-lora")))
    assert isinstance(decision, Replace)
    assert why.TypeChanged("sd-xl-lora", "flux.1-lora") in decision.reasons


def test_an_unfinished_manual_version_is_left_alone() -> None:
    manual = declared(lifecycle=Lifecycle(train="manual"))
    decision = decided(manual, recorded(version(phase="building")))
    assert (type(decision), decision.notes) == (Keep, (why.ManualTraining(KAEL),))


@pytest.mark.parametrize(("on_change", "kind"), [(None, Replace), ("replace", Replace), ("retrain", Retrain)])
def test_a_changed_model_is_replaced_or_retrained(on_change: OnChange | None, kind: type) -> None:
    decision = with_lifecycle(on_change)
    assert type(decision) is kind
    assert decision.reasons == (EPOCHS,)


def test_a_changed_model_is_kept_where_the_manifest_says_so() -> None:
    kept, manual = with_lifecycle("keep"), with_lifecycle(train="manual")
    assert (type(kept), kept.notes) == (Keep, (why.ChangesKept((EPOCHS,)),))
    assert (type(manual), manual.notes) == (Keep, (why.ManualTraining(KAEL, (EPOCHS,)),))


def test_pictures_and_captions_are_counted() -> None:
    images = (replace(IMAGES[0], caption="back"), picture("03.png", "oak"))
    decision = decided(images=images)
    assert isinstance(decision, Replace)
    assert decision.reasons == (why.ImagesChanged(1, 0, 1), why.CaptionsChanged(0, 1, 0))


def test_what_is_asked_for_is_replaced() -> None:
    decision = decided(replace=frozenset({KAEL}))
    assert (type(decision), decision.reasons) == (Replace, (why.AskedFor("--replace"),))


def test_a_composition_follows_its_parts() -> None:
    made = manifest(model("kael", parameters={"nbEpochs": 12}), composition("ink", [part("kael")]))
    state = replace(recorded(), records={**recorded().records, INK: ink("m1")})
    decision = decisions(made, state)[INK]
    assert isinstance(decision, Replace | Retrain)
    assert why.PartChanged(KAEL, "replaced") in decision.reasons


def test_another_name_is_only_a_label() -> None:
    decision = decided(declared(name="Kael"))
    assert isinstance(decision, Relabel)
    assert decision.reasons == (why.NameChanged("kael", "Kael"),)
    assert decision.labels.labels == {"name": "Kael"}


def test_a_move_trains_nothing() -> None:
    ranger = Address("model", "ranger")
    made = replace(manifest(replace(SPEC, address=ranger)), moved=(Moved(source=KAEL, target=ranger, place=HERE),))
    found = decisions(made)
    assert set(found) == {ranger}
    assert (type(found[ranger]), found[ranger].reasons) == (Keep, (why.MovedFrom(KAEL),))


def test_what_is_as_declared_is_kept() -> None:
    decision = decided()
    assert (type(decision), decision.reasons, decision.notes) == (Keep, (), ())


def test_a_removed_block_forgets_the_record() -> None:
    decision = decided(replace(NOTHING, removed=(Removed(source=KAEL, place=HERE),)))
    assert isinstance(decision, Forget)
    assert decision.edit.forget
    assert not decision.gone


def test_what_is_protected_is_not_deleted() -> None:
    decision = decided(NOTHING, recorded(protected=True))
    assert isinstance(decision, Keep)
    assert [problem.code for problem in decision.resource.problems] == ["protected"]


def test_what_is_no_longer_declared_is_deleted_with_all_versions() -> None:
    decision = decided(NOTHING, recorded(version(2), previous=(version(1),)))
    assert isinstance(decision, Delete)
    assert decision.reasons == (why.NoLongerDeclared(),)
    assert [v.number for v in decision.delete] == [2, 1]


def test_what_is_gone_is_forgotten() -> None:
    decision = decided(NOTHING, observed=gone("m1"))
    assert isinstance(decision, Forget)
    assert decision.reasons == (why.NoLongerDeclared(), why.AlreadyDeleted())


def test_destroy_leaves_what_is_disabled_alone() -> None:
    """`enabled: false` keeps a resource untouched, also where it is still recorded under its old address."""
    disabled = declared(enabled=False)
    decision = decided(disabled, destroy=True)
    assert (type(decision), decision.notes) == (Keep, (why.Disabled(),))
    new = replace(SPEC, address=Address("model", "new"), enabled=False)
    moved = manifest(new, moved=[Moved(source=KAEL, target=new.address, place=HERE)])
    assert decided(moved, destroy=True).notes == (why.Disabled(),)


@pytest.mark.parametrize("protect", [True, False])
def test_destroy_heeds_protection_that_is_declared_or_recorded(protect: bool) -> None:
    """Protection that no apply recorded yet counts, and one that no apply lifted yet still does."""
    made = declared(lifecycle=Lifecycle(prevent_destroy=protect))
    decision = decided(made, recorded(protected=not protect), destroy=True)
    assert isinstance(decision, Keep)
    assert [problem.code for problem in decision.resource.problems] == ["protected"]


def test_destroy_deletes_what_is_declared() -> None:
    decision = decided(destroy=True)
    assert (type(decision), decision.reasons) == (Delete, (why.DestroyAskedFor(),))


def test_a_version_comes_back_though_a_replacement_was_begun() -> None:
    """The manifest is back at what an old version was trained on: nothing is paid, the unfinished one is given up."""
    old, now = version(1), version(2, parameters={"nbEpochs": 12})
    begun = version(3, parameters={"nbEpochs": 14}, phase="building", fingerprint=None)
    state = recorded(now, pending=begun, previous=(old,))
    decision = decided(state=state)
    assert isinstance(decision, Relabel)
    assert why.VersionRestored(1) in decision.reasons
    after = edited(state, {KAEL: decision.edit}).records[KAEL]
    assert (after.current.number, after.pending) == (1, None)
    assert sorted(one.number for one in after.previous) == [2, 3]


def test_a_pinned_composition_stays_pinned_when_its_part_is_replaced() -> None:
    """Its part of the manifest did not change: it is not trained again."""
    made = manifest(SPEC, composition("ink", [part("kael")]))
    desired = desire(made, {"set": dataset("set", IMAGES)})
    before = State(records={**recorded().records, INK: ink("m1")})
    held = desired_fingerprint(desired, before, INK, ink("m1").current)
    replaced = recorded(version(2), previous=(version(1),))
    after = State(records={**replaced.records, INK: replace(ink("m1"), held=held)})
    found = decisions(made, after)[INK]
    assert [type(note) for note in found.notes] == [why.RollbackPinned]
    other = manifest(SPEC, composition("ink", [part("kael", 0.7)]))
    assert why.RollbackEnded() in decisions(other, after)[INK].notes
