"""Every section of report, status and apply --report, with a text of others in each place where one may be."""

from __future__ import annotations

from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.apply.events import LedgerLine
from scenario_apply.dataset.dataset_statistics import dataset_statistics
from scenario_apply.dataset.types import Contents, Dataset, Image, Pair
from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, JobId, ModelId, Progress
from scenario_apply.planning.changes import Action
from scenario_apply.planning.resource_graph import GraphEdge, GraphNode, ResourceGraph
from scenario_apply.review.html.album import Album, PageImage
from scenario_apply.review.html.comparison_section import comparison_section
from scenario_apply.review.html.cost_section import cost_section
from scenario_apply.review.html.figures import PictureFacts
from scenario_apply.review.html.gallery import gallery_section, gallery_sheets
from scenario_apply.review.html.graph_section import graph_section
from scenario_apply.review.html.history_section import ModelSamples, SampledEpoch, SamplePicture, history_section
from scenario_apply.review.html.page import Section
from scenario_apply.review.html.run_section import Happening, KindRow, RunView, TrainingBar, run_section
from scenario_apply.review.html.statistics_section import statistics_section
from scenario_apply.review.html.status_section import status_section
from scenario_apply.review.status_text import ResourceStatus
from scenario_apply.state.state import ConceptRecord, ImageRecord, Record, State, Version
from tests.cli.plans import KAEL
from tests.cli.runs import LEDGER, PLAN
from tests.review.compared import view_with_text
from tests.review.html.pages import ALBUM

INK = parse_address("composition.ink")
MODEL = ModelId("model_1")
_DIGESTS = tuple(ALBUM)


def contents_with(text: str) -> Contents:
    pictures = tuple(
        Image(
            path=f"{number}{text}.png",
            file="x",
            sha256=_DIGESTS[number % len(_DIGESTS)],
            size_bytes=1000,
            mime="image/png",
            width=1024 + 8 * number,
            height=1024,
            caption=None if number == 5 else f"KAEL {text}",
            hashes=f"{(1 << 3 * number) - 1:032x}{0:032x}",
        )
        for number in range(8)
    )
    pair = Pair(before=pictures[0].path, after=pictures[1].path, instruction=f"paint {text}")
    return Contents(images=pictures, pairs=(pair,))


def state_with(text: str) -> State:
    images = (ImageRecord(path="a.png", sha256="a", asset_id=AssetId("asset_1"), caption=text),)
    version = Version(
        number=2,
        id=MODEL,
        phase="trained",
        name=f"Kael {text}",
        type="flux.1-lora",
        parameters={"nbEpochs": 10, "samplePrompts": [f"a {text}"]},
        images=images,
        charged=130.5,
        launched_at="2026-10-01T10:00:00Z",
        ended_at="2026-10-01T11:40:00Z",
        job_id=JobId("job_1"),
    )
    failed = with_fields(
        version,
        number=1,
        id=ModelId("model_0"),
        phase="failed",
        reason=f"out of {text}",
        launched_at="2026-09-01T10:00:00Z",
    )
    part = ConceptRecord(model_id=MODEL, scale=0.8)
    ink = Version(
        number=1, id=ModelId("model_2"), phase="training", name=text, type="flux.1-composition", concepts=(part,)
    )
    return State(records={KAEL: Record(current=version, previous=(failed,)), INK: Record(current=ink)})


def sections_with(text: str, album: Album = ALBUM) -> list[Section]:
    """All of them, of a run that goes on."""
    contents = contents_with(text)
    dataset = Dataset(
        name="kael",
        digest="d",
        source_digest="d",
        image_count=8,
        pair_count=1,
        problems=(),
        load=lambda: contents,
    )
    finding = Diagnostic(code="D02", message=f"looks like {text}", severity="warning")
    facts = {contents.images[2].path: PictureFacts(sha256=contents.images[2].sha256, findings=(finding,))}
    sheets = gallery_sheets({"kael": dataset}, {"kael": facts}, frozenset())
    state = state_with(text)
    return [
        run_section(run_with(text)),
        Section("missing", "What this page lacks", "missing.html.jinja", (f"nothing {text}",)),
        status_section(statuses_with(text), is_recorded=False),
        gallery_section(sheets, album),
        statistics_section({f"kael {text}": dataset_statistics(contents), "props": dataset_statistics(contents)}),
        comparison_with(text),
        history_section(state, {MODEL: samples_with(text)}),
        cost_section(state, PLAN),
        graph_section(graph_with(text)),
    ]


def comparison_with(text: str) -> Section:
    """Two versions of a model that drew prompts with the text; of the second, a sample failed because of it."""
    view = view_with_text(text)
    image = next(iter(ALBUM.values()))
    album = {"asset_a1": image, "asset_a2": image, "asset_b1": PageImage(why=f"it was {text}")}
    return comparison_section([view], album, note=f"left out: {text}")


def run_with(text: str) -> RunView:
    return RunView(
        command=f"scenario-apply apply {text}",
        started_at="2026-11-27T08:00:00Z",
        written_at="2026-11-27T08:00:09Z",
        at_least_every_s=10,
        facts=(("Requests", "42"), ("Waiting for", text)),
        kinds=(KindRow("images uploaded", 12, 1, 16), KindRow("trainings ended", 0, 0, 1)),
        trainings=(TrainingBar("model.kael", f"training, {text}", 0.4), TrainingBar("model.props", "queued", None)),
        log=(Happening("2026-11-27T08:00:01Z", f"model.kael: uploaded {text}", "good"),),
        earlier=3,
        next_command=f"scenario-apply apply {text} --local",
    )


def ended_with(text: str) -> RunView:
    failed = LedgerLine(address=KAEL, what=f"upload {text}", reason=text)
    ledger = replace(LEDGER, failed=(failed,), error=f"stopped: {text}", next_command=f"apply {text}")
    return run_with(text)._replace(ledger=ledger)


def statuses_with(text: str) -> tuple[ResourceStatus, ...]:
    common = {"name": f"Kael {text}", "type": "flux.1-lora", "version": 1}
    running = Progress(stage="running-train", progress=0.4)
    return (
        ResourceStatus(address=KAEL, id="model_1", status="failed", reason=f"out of {text}", charged=12.5, **common),  # type: ignore[arg-type]  # by name
        ResourceStatus(address=INK, id="model_2", status="training", progress=running, **common),  # type: ignore[arg-type]  # by name
    )


def samples_with(text: str) -> ModelSamples:
    image = next(iter(ALBUM.values()))
    shown = SamplePicture(f"sample {text}", image.src, image.width, image.height)
    absent = SamplePicture(f"sample {text}", None, why=f"it was {text}")
    return ModelSamples((SampledEpoch(f"5{text}", (shown, absent)),), f"1 of 10 {text}")


def graph_with(text: str) -> ResourceGraph:
    nodes = (
        GraphNode(key="dataset.kael", kind="dataset", title="dataset.kael"),
        GraphNode(key="x", kind="external", title=f"Ink {text}", details=("flux.1-lora", "found by name")),
        GraphNode(key="k", kind="model", title="model.kael", details=(text, "flux.1-lora"), action=Action.REPLACE),
        GraphNode(key="c", kind="composition", title="composition.ink", details=(text,), action=Action.NONE),
    )
    edges = (
        GraphEdge(source="dataset.kael", target="k"),
        GraphEdge(source="k", target="c", label=f"scale 0.8 {text}"),
        GraphEdge(source="x", target="c"),
    )
    return ResourceGraph(nodes=nodes, edges=edges)
