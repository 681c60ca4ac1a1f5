"""Random sequences of edits, selections, rollbacks, changes made outside, refreshes and destroys: what never happens.

No protected or disabled resource is deleted, no part of a composition that stays, and nothing is trained or drawn that
was.
"""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions, Prepared, make_plan
from scenario_apply.apply.rollback import roll_back
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.manifest.spec import Concept, Lifecycle, Manifest, SampleSpec, SamplesSpec
from scenario_apply.model.address import Address
from scenario_apply.model.samples import derived_seed
from scenario_apply.model.steps import DeleteModel, DrawSample, StartTraining
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.desired import desire
from scenario_apply.planning.reasons import DriftFound, NotSelected
from scenario_apply.planning.state_edit import edited
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import State
from tests.planning.manifests import HERE, composition, dataset, manifest, model, picture
from tests.planning.situations import NOW, MemoryStore, Service, world_of


class Store(MemoryStore):
    def save(self, state: State) -> None:
        self.state = state


def sampled(random: Random, address: Address) -> SamplesSpec:
    """Some samples, by numbers of their own: the rest of a sequence is what it was without them."""
    own = Random(str(random.getstate()[1][-1]))
    prompts = own.sample(["rain", "night", "fog"], own.randrange(3))
    samples = (
        SampleSpec(name=str(number), prompt=prompt, seed=derived_seed(address, prompt), place=HERE)
        for number, prompt in enumerate(prompts, 1)
    )
    return SamplesSpec(samples=tuple(samples), on=own.choice([("trained", "manual"), ("trained",), ("manual",)]))


def declared(random: Random) -> Manifest:
    choose = random.choice
    models = [
        model(
            name,
            choose(["left", "right"]),
            parameters={"nbEpochs": choose([10, 12])},
            enabled=random.random() > 0.15,
            lifecycle=Lifecycle(
                on_change=choose([None, None, "replace", "retrain", "keep"]),
                keep_versions=choose([1, 0, 2]),
                train=choose(["auto", "auto", "auto", "manual"]),
                prevent_destroy=choose([None, None, False, True]),
            ),
            samples=sampled(random, Address("model", name)),
        )
        for name in "abcd"
        if random.random() > 0.25
    ]
    compositions = [
        composition(
            name,
            [Concept(model=one.address, scale=choose([0.5, 0.8]), place=HERE) for one in parts],
            enabled=random.random() > 0.1,
            lifecycle=Lifecycle(
                on_change=choose([None, "replace", "keep"]), prevent_destroy=choose([None, False, True])
            ),
            samples=sampled(random, Address("composition", name)),
        )
        for name in ("ink", "wash")
        if (parts := random.sample(models, min(len(models), random.randrange(3))))
    ]
    return manifest(*models, *compositions)


def pictured(random: Random) -> dict[str, Dataset]:
    def of(name: str) -> Dataset:
        first, caption = random.randrange(3), random.choice("ab")
        names = [f"{name}{first}", f"{name}x", f"{name}y"]
        return dataset(name, [picture(f"0{i}.png", word, caption if i else "a") for i, word in enumerate(names)])

    return {name: of(name) for name in ("left", "right")}


def options(random: Random, act: str, made: Manifest, state: State) -> PlanOptions:
    known = sorted({*made.models, *made.compositions, *state.records})
    narrowed: dict[str, tuple[str, ...]] = {}
    if known and random.random() < 0.5:
        pattern = random.choice(["{}", "+{}", "{}+"]).format(random.choice(known))
        narrowed[random.choice(["select", "exclude"])] = (pattern,)
    if act == "destroy":
        return PlanOptions(destroy=True, allow_destroy=True, **narrowed)  # type: ignore[arg-type]  # fields by name
    if act == "refresh":
        return PlanOptions(refresh_only=True, **narrowed)  # type: ignore[arg-type]  # fields by name
    return PlanOptions(allow_destroy=random.random() < 0.6, **narrowed)  # type: ignore[arg-type]  # fields by name


def changed_outside(random: Random, service: Service, state: State) -> None:
    used = sorted({record.working.id for record in state.records.values()} & set(service.models))
    if not used:
        return
    found = service.models[random.choice(used)]
    found.name = random.choice([found.name, "by hand"])
    if found.images and found.status != "training":
        service.captions[random.choice(sorted(found.images))] = random.choice(["a", "b", "by hand"])


def check(prepared: Prepared, made: Manifest, sets: dict[str, Dataset], before: State, asked: PlanOptions) -> None:
    plan = prepared.plan
    specs: dict[Address, Spec] = {**made.models, **made.compositions}
    changes = {change.address: change for change in plan.changes}
    trained = {p.address for p in plan.steps if isinstance(p.step, StartTraining)}
    deleted = {p.step.model_id for p in plan.steps if isinstance(p.step, DeleteModel)}
    for planned in plan.steps:
        spec = specs.get(planned.address)
        lifecycle = Lifecycle() if spec is None else spec.lifecycle
        assert spec is None or spec.enabled
        if isinstance(planned.step, DeleteModel):
            was = before.records[planned.address].protected
            assert not lifecycle.prevent_destroy, "declared as protected"
            assert not was or (lifecycle.prevent_destroy is False and not asked.destroy), "recorded as protected"
            for user, record in prepared.state.records.items():
                if planned.step.model_id not in {part.model_id for part in record.current.concepts}:
                    continue
                is_left_out = asked.destroy and NotSelected() in changes[user].notes and not record.protected
                assert is_left_out or user in trained or record.current.id in deleted, "a part of what stays"
        elif isinstance(planned.step, StartTraining) and planned.address.kind == "model":
            unpaid(planned.address, prepared, made, sets)
        elif isinstance(planned.step, DrawSample):
            assert spec is not None
            assert "trained" in spec.samples.on
            undrawn(planned.step, edited(prepared.state, prepared.edits), is_trained=planned.address in trained)
    drawn = [(p.address, p.step.number, p.step.sample.key) for p in plan.steps if isinstance(p.step, DrawSample)]
    assert len(set(drawn)) == len(drawn), "a sample is drawn twice"


def undrawn(step: DrawSample, state: State, *, is_trained: bool) -> None:
    """The weights that will be in use by then have no such sample."""
    record = state.records.get(step.address)
    version = None if record is None else next((v for v in record.versions() if v.number == step.number), None)
    if version is None or is_trained:
        return
    assert version.phase in ("trained", "training"), "drawn with what is not trained"
    held = {sample.key for sample in version.current_samples if sample.phase != "failed"}
    assert step.sample.key not in held, "paid for twice"


def unpaid(address: Address, prepared: Prepared, made: Manifest, sets: dict[str, Dataset]) -> None:
    """No version that is still there was trained on exactly this, unless something was changed outside."""
    spec, record = made.models[address], prepared.state.records.get(address)
    change = next(one for one in prepared.plan.changes if one.address == address)
    if record is None or any(isinstance(reason, DriftFound) for reason in change.reasons):
        return
    comes_back = spec.lifecycle.on_change in (None, "replace")
    for version in record.versions():
        if version.is_usable and version.fingerprint and (version is record.current or comes_back):
            digest = sets[spec.dataset].digest
            wanted = fingerprint(
                type=spec.type, parameters=spec.parameters, dataset=digest, concepts=(), like=version.fingerprint
            )
            assert wanted != version.fingerprint, f"version {version.number} of {address} is paid for twice"


@pytest.mark.parametrize("seed", [*range(20), 44, 94, 222])
def test_what_never_happens(seed: int) -> None:
    random, service, state = Random(seed), Service(), State()
    made, sets = declared(random), pictured(random)
    past = [(made, sets)]
    for _ in range(random.randrange(3, 9)):
        act = random.choice(["edit", "edit", "data", "undo", "rollback", "outside", "refresh", "destroy"])
        made = declared(random) if act == "edit" else made
        sets = pictured(random) if act == "data" else sets
        made, sets = random.choice(past) if act == "undo" else (made, sets)
        past.append((made, sets))
        if act == "outside":
            changed_outside(random, service, state)
        if act == "rollback" and state.records:
            store = Store(state)
            world = replace(world_of(service, state), store=store)
            address = random.choice(sorted(state.records))
            try:
                roll_back(world, address, desire(made, sets))
            except ScenarioApplyError:
                continue  # nothing to go back to
            state = store.state
        asked = options(random, act, made, state)
        try:
            prepared = make_plan(world_of(service, state), made, sets, asked, NOW)
        except ScenarioApplyError:
            continue  # the pattern selects nothing
        if prepared.plan.blocked:
            continue
        check(prepared, made, sets, state, asked)
        if asked.refresh_only:
            assert set(prepared.state.assets()) >= set(state.assets()), "an upload is forgotten"
            state = replace(prepared.state, lineage="lineage")
            continue
        stop = random.choice([None, None, None, random.randrange(len(prepared.plan.steps) + 1)])
        state = service.carry_out(prepared.plan, prepared.state, prepared.edits, stop_after=stop)
