"""States, steps and outcomes for tests: drawn by Hypothesis, or one that is plain to read."""

from __future__ import annotations

from hypothesis import strategies as st

from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import AssetId, JobId, ModelId
from scenario_apply.model.steps import (
    AssetRef,
    AttachImages,
    Attachment,
    AwaitTraining,
    CreateModel,
    DeleteModel,
    DetachImage,
    PairRef,
    PictureRef,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    UpdateModel,
    UploadImage,
)
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import (
    AssetRecord,
    ConceptRecord,
    ImageRecord,
    PairRecord,
    Phase,
    Record,
    State,
    Version,
)

AT = "2026-09-21T14:13:20Z"
KAEL = parse_address("model.kael")


def one(number: int = 1, phase: Phase = "trained", *, id: str = "model_1", name: str = "Kael") -> State:
    version = Version(number=number, id=ModelId(id), phase=phase, name=name, type="flux.1-lora")
    return State(records={KAEL: Record(current=version)})


text = st.text(st.characters(codec="utf-8"), max_size=12)
ids = st.integers(1, 9).map(lambda n: f"id_{n}")
assets = ids.map(AssetId)
fingerprints = st.sampled_from(["1:aa", "1:bb", "1:undeclared"])
digests = st.sampled_from(["aa", "bb", "cc"])
addresses = st.sampled_from([KAEL, Address("model", "lr", "fast"), Address("composition", "ink")])
numbers = st.floats(0, 1000, allow_nan=False) | st.none()
images = st.builds(ImageRecord, text, digests, assets, text)
concepts = st.builds(ConceptRecord, ids.map(ModelId), st.floats(-2, 2), text | st.none(), fingerprints | st.none())
parameters = st.dictionaries(st.sampled_from(["rank", "seed"]), st.integers(0, 99) | text, max_size=2)
versions = st.builds(
    Version,
    number=st.integers(1, 9),
    id=ids.map(ModelId),
    phase=st.sampled_from(["building", "training", "trained", "failed", "canceled"]),
    name=text,
    type=st.sampled_from(["flux.1-lora", "sd-xl-lora", "flux.1-composition"]),
    description=text | st.none(),
    tags=st.lists(text, max_size=2, unique=True).map(lambda tags: tuple(sorted(tags))),
    parameters=parameters,
    concepts=st.lists(concepts, max_size=2).map(tuple),
    images=st.lists(images, max_size=3, unique_by=(lambda i: i.asset_id, lambda i: i.path)).map(
        lambda found: tuple(sorted(found, key=lambda i: i.path))
    ),
    pairs=st.lists(st.builds(PairRecord, assets, assets, text), max_size=2).map(tuple),
    fingerprint=fingerprints | st.none(),
    job_id=ids.map(JobId) | st.none(),
    reason=text | st.none(),
    charged=numbers,
    created_at=st.just(AT) | st.none(),
    launched_at=st.just(AT) | st.none(),
    ended_at=st.just(AT) | st.none(),
)
records = st.builds(
    Record,
    current=versions,
    pending=versions | st.none(),
    previous=st.lists(versions, max_size=2).map(tuple),
    protected=st.booleans(),
    held=fingerprints | st.none(),
)
states = st.builds(
    State,
    lineage=st.just("lineage"),
    serial=st.integers(0, 99),
    endpoint=st.just("fake"),
    project=st.just("p") | st.none(),
    records=st.dictionaries(addresses, records, max_size=3),
    loose=st.dictionaries(assets, st.builds(AssetRecord, digests, text), max_size=2),
)

refs = assets.map(lambda id: AssetRef(id=id)) | st.just(AssetRef(step="s1"))
pictures = st.builds(
    PictureRef, path=text, file=text, sha256=digests, size_bytes=st.integers(1, 9), mime=st.just("image/png")
)
attachments = st.builds(Attachment, asset=refs, path=text, sha256=digests, caption=text)
outcomes = st.builds(
    Outcome,
    at=st.just(AT),
    model_id=ids.map(ModelId),
    asset_id=assets,
    job_id=ids.map(JobId),
    phase=st.sampled_from(["trained", "failed", "canceled"]),
    reason=text | st.none(),
    cu=numbers,
    fingerprint=fingerprints | st.none(),
    concepts=st.lists(concepts, max_size=2).map(tuple),
    adopted=text | st.none(),
)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        CreateModel, address=addresses, number=st.integers(1, 9), name=text, type=text, description=text | st.none()
    ),
    st.builds(UploadImage, address=addresses, picture=pictures, way=st.sampled_from(["data", "asset", "multipart"])),
    st.builds(AttachImages, address=addresses, images=st.lists(attachments, max_size=3).map(tuple)),
    st.builds(DetachImage, address=addresses, asset_id=assets, path=text),
    st.builds(SetCaption, address=addresses, asset=refs, path=text, sha256=digests, caption=text),
    st.builds(
        SetPairs,
        address=addresses,
        pairs=st.lists(st.builds(PairRef, source=refs, target=refs, instruction=text), max_size=2).map(tuple),
    ),
    st.builds(UpdateModel, address=addresses, name=text | st.none(), description=text | st.none()),
    st.builds(
        SetTags,
        address=addresses,
        add=st.lists(text, max_size=2).map(tuple),
        delete=st.lists(text, max_size=1).map(tuple),
    ),
    st.builds(StartTraining, address=addresses, parameters=parameters, dataset=text | st.none()),
    st.builds(AwaitTraining, address=addresses, type=text),
    st.builds(DeleteModel, address=addresses, model_id=ids.map(ModelId), number=st.integers(1, 9)),
)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[PlannedStep, Outcome]]:
    """Steps with their outcomes, as a journal may hold them."""
    made = []
    for number, step in enumerate(draw(st.lists(steps, max_size=8)), 1):
        outcome = draw(outcomes)
        if isinstance(step, AttachImages):
            attached = [AssetId(f"id_{n}") for n in range(len(step.images))]
            outcome = Outcome(at=AT, asset_ids=tuple(attached))
        made.append((PlannedStep(id=f"s{number}", step=step), outcome))
    return made
