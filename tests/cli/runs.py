"""Hand-made events of a run, in the order a run tells them."""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.apply.events import (
    Adopted,
    Event,
    Ledger,
    LedgerLine,
    Noted,
    Priced,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Throttled,
    TrainingMoved,
    TrainingPrice,
)
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, JobId, ModelId, Progress
from scenario_apply.model.steps import (
    AssetRef,
    AttachImages,
    AwaitTraining,
    CreateModel,
    DeleteModel,
    DetachImage,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    UpdateModel,
)
from scenario_apply.planning.changes import Action, Change, Cost
from scenario_apply.planning.reasons import NotCreated
from tests.cli.plans import KAEL, plan_of, upload

EVIL = "\x1b[31mred\x1b[0m\nsecond line"
WINTER = parse_address("composition.winter")
CREATE = PlannedStep(id="s1", step=CreateModel(address=KAEL, number=1, name="Kael", type="flux.1-lora"))
UPLOAD = upload(2, KAEL, "01.png")
OTHER = upload(3, KAEL, "02.png")
TRAIN = PlannedStep(id="s4", step=StartTraining(address=KAEL))
WAIT = PlannedStep(id="s5", step=AwaitTraining(address=KAEL, type="flux.1-lora"))
COMPOSE = PlannedStep(id="s6", step=CreateModel(address=WINTER, number=1, name="W", type="flux.1-composition"))
EVERY_STEP: tuple[Step, ...] = (
    CREATE.step,
    UPLOAD.step,
    AttachImages(address=KAEL, images=()),
    DetachImage(address=KAEL, asset_id=AssetId("asset_1"), path="01.png"),
    SetCaption(address=KAEL, asset=AssetRef(id=AssetId("asset_1")), path="01.png", sha256="ab", caption="c"),
    SetPairs(address=KAEL, pairs=()),
    UpdateModel(address=KAEL, name="K"),
    SetTags(address=KAEL, add=("a",)),
    TRAIN.step,
    WAIT.step,
    DeleteModel(address=KAEL, model_id=ModelId("model_1"), number=1),
)
PLAN = plan_of(
    Change(
        address=KAEL,
        action=Action.CREATE,
        change_class="training",
        reasons=(NotCreated(),),
        cost=Cost(cu=None, source="unknown"),
        requests=4,
    ),
    steps=(CREATE, UPLOAD, OTHER, TRAIN, WAIT, COMPOSE),
)
LEDGER = Ledger(
    status="partial",
    done=(LedgerLine(address=KAEL, what="create", remote_id="model_1"),),
    failed=(LedgerLine(address=WINTER, what="create", reason=EVIL),),
    not_started=(LedgerLine(address=parse_address("model.late"), what="create", reason="needs composition.winter"),),
    adopted=(LedgerLine(address=KAEL, what="model", reason="same name and type", remote_id="model_1"),),
    requests=12,
    refused=1,
    cu_charged=130,
    took_s=65,
    steps_done=5,
    steps_total=6,
    next_command="scenario-apply apply manifests/quickstart --local",
    counts={"create": 1, "upload": 2, "train": 1, "wait": 1},
)


def moved(status: str, stage: str, share: float | None, **more: int) -> TrainingMoved:
    progress = Progress(stage=stage, progress=share, position=more.get("place"), remaining_s=more.get("left"))
    return TrainingMoved(address=KAEL, status=status, progress=progress, job_id=JobId("job_1"))


EVENTS: tuple[Event, ...] = (
    RunStarted(plan=PLAN, run_id="r1"),
    Adopted(address=KAEL, what="model", remote_id="model_1", how=f"same name and type {EVIL}"),
    StepStarted(step=CREATE),
    StepFinished(step=CREATE, took_s=0.5, remote_id="model_1"),
    StepStarted(step=UPLOAD),
    StepFinished(step=UPLOAD, took_s=0.5, remote_id="asset_1"),
    Throttled(seconds=12, reason="the rate limit"),
    StepFinished(step=OTHER, took_s=0.5, adopted=True, how="an image of that name", remote_id="asset_2"),
    Noted(text="dataset score 0.93", address=KAEL),
    Priced(
        prices=(
            TrainingPrice(address=KAEL, cu=130.5, source="quoted"),
            TrainingPrice(address=WINTER, cu=None, source="unknown", reason=EVIL),
        ),
        cu=130.5,
        planned=None,
    ),
    StepFinished(step=TRAIN, took_s=0.2, cu_charged=130, remote_id="job_1"),
    moved("training", "queued-for-train", 0.0, place=2),
    moved("training", "running-train", 0.1, left=540),
    moved("training", "running-train", 0.2, left=480),
    moved("training", "running-train", 0.5, left=300),
    moved("trained", "trained", 1.0),
    StepFinished(step=WAIT, took_s=0.0),
    StepFailed(step=COMPOSE, error=EVIL, skipped=3),
    LEDGER,
)


def played(view: Callable[[Event], None], advance: Callable[[float], None], each_s: float = 10.0) -> None:
    """Every event, some seconds apart."""
    for event in EVENTS:
        view(event)
        advance(each_s)
