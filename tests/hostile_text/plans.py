"""A plan that holds one text wherever other people's texts get in."""

from __future__ import annotations

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address
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
)
from scenario_apply.planning.plan import Plan, PlanSource
from scenario_apply.planning.reasons import (
    LabelDrift,
    NameChanged,
    ParameterChanged,
    Prevented,
    TagsChanged,
    TrainingEnded,
)
from scenario_apply.review.change_view import Beside
from scenario_apply.review.plan_view import PlanContext, PlanView, plan_view

KAEL = Address("model", "kael")


def plan_with(text: str) -> Plan:
    """Names, types, tags, descriptions, parameters, files, captions, instructions, reasons, findings, drift."""
    said = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs are refused where reasons come from
    place = Location(file=f"{text}.yaml", line=4, column=2, text=f"  name: {text}")
    attributes = {"name": said, "type": said, "description": said, "tags": [said]}
    trained = Change(
        address=KAEL,
        action=Action.REPLACE,
        change_class="training",
        reasons=(
            NameChanged(said, "new"),
            ParameterChanged("note", said, 2),
            TagsChanged((said,), ()),
            TrainingEnded("failed", said),
        ),
        notes=(LabelDrift("name", said), Prevented("x", said)),
        before={**attributes, "name": "old", "parameters": {"note": 1, f"p{said}": said}},
        after={**attributes, "parameters": {"note": said, f"p{said}": 1}},
        images=ImageDiff(
            add=(ImageChange(path=f"{text}.png", caption=text, file=f"kael/{text}.png"),),
            change=(ImageChange(path=f"b/{text}.png", caption=text, file=f"kael/b/{text}.png", recipe="convert=png"),),
            remove=(ImageChange(path=f"c/{text}.png", caption=text),),
        ),
        captions=CaptionDiff(
            change=(
                CaptionChange(path=f"d/{text}.png", before="old", after=text),
                CaptionChange(path="e.png", before=text, after="new"),
                CaptionChange(path="f.png", before=f"a {text} b", after=f"c {text} d"),
            ),
            add=(CaptionChange(path="g.png", before=None, after=text),),
            remove=(CaptionChange(path="h.png", before=text, after=None),),
        ),
        pairs=PairDiff(
            add=(PairChange(before=f"i/{text}.png", after=f"j/{text}.png", instruction=text),),
            change=(PairChange(before="k.png", after="l.png", instruction=text, previous="old"),),
        ),
        cost=Cost(cu=12, source="quoted"),
        requests=3,
        arithmetic="3 images x 4 = 12 steps",
        place=place,
    )
    created = Change(address=Address("model", "new"), action=Action.CREATE, after=attributes, place=place)
    kept = Change(address=Address("model", "kept"), action=Action.NONE, notes=(Prevented("x", said),))
    finding = Diagnostic(code="D03", message=text, location=place, hint=text, severity="warning")
    return Plan(
        source=PlanSource(
            manifest_path=f"{text}.yaml",
            manifest_digest="sha256:00",
            lineage="5b7c",
            serial=4,
            endpoint="https://api.example/v1",
            project="project_1",
        ),
        tool_version="0.1.0",
        created_at="2026-01-02T03:04:05Z",
        changes=(trained, created, kept),
        steps=(),
        drift=(
            Drift(address=KAEL, what="caption", path=f"{text}.png", recorded=said, observed="new"),
            Drift(address=KAEL, what="name", recorded=said, observed="new"),
        ),
        diagnostics=(finding,),
        blocked=(Diagnostic(code="gate", message=text, hint=text, location=place),),
    )


def view_with(text: str) -> PlanView:
    """The same plan as writers see it."""
    stale = Diagnostic(code="plan-stale", message=text, location=Location(file=f"{text}.png"))
    context = PlanContext(
        stale=(stale,), next_command=f"scenario-apply apply {text}", beside={KAEL: Beside(folder="k")}
    )
    return plan_view(plan_with(text), context)
