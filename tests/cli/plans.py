"""Hand-made plans that views are tested with."""

from __future__ import annotations

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import (
    AwaitTraining,
    CreateModel,
    DeleteModel,
    PictureRef,
    PlannedStep,
    StartTraining,
    UploadImage,
)
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    Cost,
    Drift,
    ImageChange,
    ImageDiff,
)
from scenario_apply.planning.plan import Plan, PlanSource
from scenario_apply.planning.reasons import (
    CaptionsChanged,
    ImagesChanged,
    NameChanged,
    NoLongerDeclared,
    NotCreated,
    ParameterChanged,
    PartChanged,
    RemovedBlock,
    RollbackPinned,
    TrainingEnded,
    TrainingRunning,
    VersionInUse,
)

KAEL = parse_address("model.kael")
SOURCE = PlanSource(
    manifest_path="manifests/quickstart",
    manifest_digest="sha256:00",
    lineage="5b7c",
    serial=4,
    endpoint="local",
    project=None,
)


def upload(number: int, address: Address, path: str) -> PlannedStep:
    picture = PictureRef(path=path, file=f"kael/{path}", sha256="ab" * 32, size_bytes=1_000_000, mime="image/png")
    return PlannedStep(id=f"s{number}", step=UploadImage(address=address, picture=picture, way="data"))


def plan_of(*changes: Change, **more: object) -> Plan:
    values: dict[str, object] = {
        "source": SOURCE,
        "tool_version": "0.1.0",
        "created_at": "2026-01-02T03:04:05Z",
        "changes": changes,
        "steps": (),
    }
    return Plan(**(values | more))  # type: ignore[arg-type]  # fields by name, tests only


REPLACED = Change(
    address=KAEL,
    action=Action.REPLACE,
    change_class="training",
    reasons=(ParameterChanged("nbEpochs", 10, 12), ImagesChanged(1, 0, 0), CaptionsChanged(0, 2, 0)),
    notes=(VersionInUse(1, parse_address("composition.winter")),),
    before={"id": "model_1", "name": "Kael", "type": "flux.1-lora", "parameters": {"nbEpochs": 10}},
    after={"name": "Kael", "type": "flux.1-lora", "parameters": {"nbEpochs": 12}},
    images=ImageDiff(
        add=(
            ImageChange(path="poses/14.png", caption="KAEL_07, side view, cloak"),
            ImageChange(
                path="poses/in the northern woods/with a very long name, 15.png",
                caption="KAEL_07, walking through deep snow, a torch in the left hand, seen from behind, blue light",
            ),
        ),
        change=(ImageChange(path="05.png", caption="KAEL_07, portrait"),),
        remove=(ImageChange(path="02.png", caption="KAEL_07, blurred"),),
    ),
    captions=CaptionDiff(
        change=(
            CaptionChange(
                path="03.png",
                before="KAEL_07, a ranger in a red cape, standing on a rock over the sea, evening light, wind in the "
                "grass, a raven on the left shoulder",
                after="KAEL_07, a ranger in a red cloak, standing on a rock over the sea, evening light, wind in the "
                "grass, two ravens on the left shoulder",
            ),
            CaptionChange(path="04.png", before="KAEL_07, 赤いマントの狩人", after="KAEL_07, 青いマントの狩人"),
        ),
        add=(CaptionChange(path="06.png", before=None, after="KAEL_07, close-up \x1b[31mred\nline"),),
        remove=(CaptionChange(path="07.png", before="KAEL_07, map", after=None),),
    ),
    cost=Cost(cu=230, source="quoted"),
    requests=16,
    image_count=12,
    arithmetic="12 images x 20 repeats x 12 epochs / batch 1 = 2880 steps",
)

CREATED = Change(
    address=parse_address("model.kael-lr/fast"),
    action=Action.CREATE,
    change_class="training",
    reasons=(NotCreated(),),
    after={
        "name": "Kael (fast)",
        "type": "flux.1-lora",
        "description": "A ranger of the north, painted: cloak, bow and raven; trained for likeness, not for style",
        "tags": ["hero", "north"],
        "parameters": {"learningRate": 0.0002, "maxTrainSteps": 750},
    },
    images=ImageDiff(
        add=tuple(ImageChange(path=f"{n:02}.png", caption=f"KAEL_07, pose number {n}") for n in range(1, 41))
    ),
    cost=Cost(cu=None, source="unknown"),
    requests=42,
    image_count=40,
    arithmetic="750 steps",
)

ALL_SIGNS = plan_of(
    CREATED,
    REPLACED,
    Change(
        address=parse_address("model.name"),
        action=Action.UPDATE,
        change_class="metadata",
        reasons=(NameChanged("Old", "New"),),
        requests=1,
    ),
    Change(
        address=parse_address("composition.winter"),
        action=Action.RETRAIN,
        change_class="training",
        reasons=(PartChanged(KAEL, "replaced"),),
        cost=Cost(cu=1.5, source="history"),
        requests=3,
    ),
    Change(
        address=parse_address("model.old"),
        action=Action.DELETE,
        change_class="metadata",
        reasons=(NoLongerDeclared(),),
        requests=1,
    ),
    Change(address=parse_address("model.slow"), action=Action.WAIT, reasons=(TrainingRunning(),)),
    Change(
        address=parse_address("model.a-name-so-long-that-it-leaves-no-room-for-the-cost-on-its-line"),
        action=Action.RETRAIN,
        change_class="training",
        reasons=(TrainingEnded("failed", "its training failed: Out of memory"),),
        cost=Cost(cu=1234.5, source="quoted"),
        requests=2,
    ),
    Change(address=parse_address("model.renamed"), action=Action.MOVE, previous_address=parse_address("model.before")),
    Change(address=parse_address("model.gone"), action=Action.FORGET, reasons=(RemovedBlock(),)),
    Change(
        address=parse_address("model.held"), action=Action.NONE, notes=(RollbackPinned(parse_address("model.held"), 1),)
    ),
    Change(address=parse_address("model.quiet"), action=Action.NONE),
    steps=(
        PlannedStep(
            id="s0",
            step=CreateModel(address=CREATED.address, number=1, name="Kael (fast)", type="flux.1-lora"),
        ),
        *(upload(n, CREATED.address, f"{n:02}.png") for n in range(1, 121)),
        PlannedStep(id="t", step=StartTraining(address=CREATED.address)),
        PlannedStep(id="w", step=AwaitTraining(address=CREATED.address, type="flux.1-lora")),
        PlannedStep(
            id="d", step=DeleteModel(address=parse_address("model.old"), model_id=ModelId("model_9"), number=1)
        ),
    ),
    polls=5,
    drift=(
        Drift(address=KAEL, what="name", recorded="Kael", observed="Kael the Great"),
        Drift(address=KAEL, what="caption", path="03.png", recorded="a red cape", observed="a blue cape"),
        Drift(address=KAEL, what="image", path="99.png", recorded=None, observed="asset_7"),
        Drift(address=parse_address("model.gone"), what="model", recorded="model_3"),
    ),
    diagnostics=(
        Diagnostic(
            code="D99",
            severity="warning",
            message="kael: the trigger KAEL_07 is missing in 3 of 12 captions",
            location=Location(
                file="manifests/quickstart/scenario.yaml", line=14, column=5, text="    trigger: KAEL_07"
            ),
            hint="write it into the captions, or leave `trigger` out",
        ),
    ),
    blocked=(Diagnostic(code="gate-retrains", message="4 trainings, the limit is 3", hint="--limit retrains=4"),),
    withheld=(parse_address("model.old"),),
)
