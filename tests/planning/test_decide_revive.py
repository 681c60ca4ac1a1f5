"""A version that was trained on exactly what is wanted is never trained again."""

from __future__ import annotations

from msgspec.structs import replace as with_fields

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents, Dataset, Image
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.planning.decide import decide
from scenario_apply.planning.decision import Decision, Keep, Relabel, Replace
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.reasons import VersionRestored
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.planning.state_edit import edited
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import ImageRecord, Record, State, Version

KAEL = parse_address("model.kael")


def contents(caption: str) -> Contents:
    image = Image(
        path="01.png",
        file="kael/01.png",
        sha256="a" * 64,
        size_bytes=10,
        mime="image/png",
        width=1024,
        height=1024,
        caption=caption,
    )
    return Contents(images=(image,))


def desired(caption: str) -> Desired:
    held = contents(caption)
    dataset = Dataset(name="kael", digest=digest_of(held), image_count=1, pair_count=0, problems=(), load=lambda: held)
    spec = ModelSpec(
        address=KAEL,
        name="Kael",
        type="flux.1-lora",
        dataset="kael",
        parameters={},
        place=Location(file="m.yaml"),
    )
    return Desired(specs={KAEL: spec}, datasets={"kael": dataset}, needs={KAEL: ()})


def version(number: int, caption: str) -> Version:
    made_from = fingerprint(type="flux.1-lora", parameters={}, dataset=digest_of(contents(caption)))
    return Version(
        number=number,
        id=ModelId(f"m{number}"),
        phase="trained",
        name="Kael",
        type="flux.1-lora",
        fingerprint=made_from,
        images=(ImageRecord("01.png", "a" * 64, AssetId("x"), caption),),
    )


NOT_ASKED, NO_OPTIONS = Observed(), PlanRequestOptions()
STATE = State(records={KAEL: Record(current=version(2, "new"), previous=(version(1, "old"),))})


def decided(state: State = STATE, observed: Observed = NOT_ASKED, asked: PlanRequestOptions = NO_OPTIONS) -> Decision:
    return decide(Inputs(desired=desired("old"), state=state, observed=observed, asked=asked))[KAEL]


def test_a_reverted_caption_brings_the_kept_version_back_for_nothing() -> None:
    """To train the same pictures, captions and parameters again would be to pay twice."""
    decision = decided()
    assert isinstance(decision, Relabel)
    assert decision.reasons == (VersionRestored(1),)
    after = edited(STATE, {KAEL: decision.edit}).records[KAEL]
    assert (after.current.number, [v.number for v in after.previous]) == (1, [2])
    again = decided(with_fields(STATE, records={KAEL: after}))
    assert isinstance(again, Keep)
    assert not again.reasons


def test_a_version_that_is_gone_or_asked_to_be_replaced_is_not_brought_back() -> None:
    """What the service deleted cannot come back, and --replace means a new training."""
    gone = Observed(asked=frozenset({ModelId("m1")}), refreshed=True)
    assert isinstance(decided(observed=gone), Replace)
    assert isinstance(decided(asked=PlanRequestOptions(replace=frozenset({KAEL}))), Replace)
