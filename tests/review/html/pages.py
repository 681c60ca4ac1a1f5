"""A page with everything on it: what changes, what stops it, pictures of every kind, and texts that would do harm."""

from __future__ import annotations

import io

from PIL import Image

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    Cost,
    Drift,
    ImageChange,
    ImageDiff,
    PairChange,
    PairDiff,
    SampleChange,
    SampleDiff,
)
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.reasons import NameChanged, NoLongerDeclared, ParameterChanged, RollbackPinned
from scenario_apply.review.html.album import PageImage, inline_image
from scenario_apply.review.html.figures import Facts, PictureFacts
from scenario_apply.review.html.plan_page import PlanPage, cards_of, plan_page
from scenario_apply.review.plan_view import PlanContext, plan_view
from tests.cli.plans import KAEL, plan_of

HAT = 'KAEL_07, </figure></details><script>document.title = "taken"</script><img src=x onerror="document.title=1">'
SKETCH = parse_address("model.sketch")
NOISY = Diagnostic(code="D02", message="looks like a re-saved or resized copy of kept.png", severity="warning")
DARK = Diagnostic(
    code="Q02", message="is very dark", severity="info", location=Location(file="kael/new.png"), hint="lighten it"
)


def colour(red: int, green: int, blue: int, *, width: int = 320, height: int = 240) -> PageImage:
    """A plain picture as a part of a page."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (red, green, blue)).save(out, "WEBP")
    return inline_image(out.getvalue(), "image/webp", width, height)


ALBUM = {
    "n" * 64: colour(200, 60, 60),
    "k" * 64: colour(60, 60, 200, width=240, height=320),
    "o" * 64: colour(60, 160, 60),
    "p" * 64: colour(90, 90, 90),
    "l" * 64: PageImage(why="not pulled from Git LFS"),
}
FACTS: dict[Address, Facts] = {
    KAEL: {
        "new.png": PictureFacts(
            sha256="n" * 64, width=320, height=240, size_bytes=9000, findings=(NOISY, DARK), twins=("kept.png",)
        ),
        "kept.png": PictureFacts(sha256="k" * 64, width=240, height=320, size_bytes=7000),
        "other.png": PictureFacts(sha256="o" * 64, width=320, height=240, size_bytes=8000),
        "pointer.png": PictureFacts(sha256="l" * 64, size_bytes=1_400_000),
    },
    SKETCH: {"a/1.png": PictureFacts(sha256="n" * 64), "b/1.png": PictureFacts(sha256="o" * 64)},
}
REPLACED = Change(
    address=KAEL,
    action=Action.REPLACE,
    change_class="training",
    reasons=(ParameterChanged("nbEpochs", 10, 12),),
    before={"name": "Kael", "type": "flux.1-lora", "parameters": {"nbEpochs": 10}},
    after={"name": "Kael", "type": "flux.1-lora", "parameters": {"nbEpochs": 12}},
    images=ImageDiff(
        add=(
            ImageChange(path="new.png", caption=HAT, sha256="n" * 64),
            ImageChange(path="pointer.png", caption="KAEL_07, \u202egnp.exe", sha256="l" * 64),
        ),
        change=(ImageChange(path="other.png", caption="a cap", sha256="o" * 64, previous_sha256="p" * 64),),
        remove=(ImageChange(path="gone/with_a_very_long_name_that_has_no_blank_at_all_0001.png", caption="x"),),
    ),
    captions=CaptionDiff(
        change=(
            CaptionChange(path="kept.png", before="KAEL_07, a red cape", after="KAEL_07, a red cloak, at dusk"),
            CaptionChange(path="other.png", before="a hat", after="a cap"),
        )
    ),
    cost=Cost(cu=130, source="quoted"),
    samples=SampleDiff(
        draw=(
            SampleChange(name="rain", prompt=HAT, seed=42, base=ModelId("model_base")),
            SampleChange(
                name=HAT,
                prompt="a <b>hat</b>",
                seed=7,
                base=ModelId("model_base"),
                news="changed",
                previous="a <b>cap</b>",
            ),
        )
    ),
    requests=12,
    arithmetic="4 images x 20 repeats x 12 epochs = 960 steps",
)
PAIRED = Change(
    address=SKETCH,
    action=Action.CREATE,
    change_class="training",
    after={"name": "<b>Sketch</b>", "type": "flux.2-klein-9b-edit-lora", "parameters": {"rank": 16}},
    pairs=PairDiff(add=(PairChange(before="a/1.png", after="b/1.png", instruction="turn it into ink"),)),
    cost=Cost(cu=None, source="unknown"),
    requests=5,
)
RENAMED = Change(
    address=parse_address("model.props"),
    action=Action.UPDATE,
    change_class="metadata",
    reasons=(NameChanged("Props", "House props"),),
    before={"name": "Props"},
    after={"name": "House props"},
    images=ImageDiff(  # as many as in the other change: the heading is the same
        add=tuple(ImageChange(path=f"{name}.png", caption="a house", sha256="k" * 64) for name in ("one", "two"))
    ),
    requests=1,
)
GONE = Change(address=parse_address("composition.old"), action=Action.DELETE, reasons=(NoLongerDeclared(),), requests=1)
HELD = parse_address("model.held")
KEPT = Change(address=HELD, action=Action.NONE, notes=(RollbackPinned(HELD, 1),))


def full_plan(**more: object) -> Plan:
    values: dict[str, object] = {
        "drift": (Drift(address=KAEL, what="caption", path="kept.png", recorded="a <i>cape</i>", observed="a coat"),),
        "diagnostics": (NOISY, DARK),
        "blocked": (Diagnostic(code="cost-limit", message="130 CU exceed the limit of 100", hint="raise limits.cost"),),
        "polls": 4,
    }
    return plan_of(GONE, REPLACED, KEPT, RENAMED, PAIRED, **(values | more))


def full_page(plan: Plan | None = None) -> str:
    """The page of the plan with everything on it, or of another one with the same pictures."""
    view = plan_view(full_plan() if plan is None else plan, PlanContext(next_command="scenario-apply apply"))
    return plan_page(PlanPage(plan=view, cards=cards_of(view, FACTS), album=ALBUM))
