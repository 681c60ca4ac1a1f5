"""The plan as people read it, word for word. UPDATE_GOLDEN=1 writes what is drawn now; look at it before committing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action, Change, Cost, Drift
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.reasons import (
    DeleteNeedsConsent,
    DestroyAskedFor,
    NoLongerDeclared,
    NotSelected,
    Prevented,
    RollbackPinned,
)
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import PlanContext, plan_view
from scenario_apply.review.screen import Screen, columns
from tests.cli.plans import ALL_SIGNS, CREATED, KAEL, REPLACED, SOURCE, plan_of, upload

GOLDEN = Path(__file__).parent / "golden"
NOTHING = plan_of(Change(address=KAEL, action=Action.NONE))


def check(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("color", [False, True])
def test_a_plan_reads_the_same_as_when_it_was_last_looked_at(width: int, color: bool) -> None:
    screen = Screen(width=width, color=color, terminal=True)
    check(f"plan_{width}{'_color' if color else ''}.txt", plan_text(plan_view(ALL_SIGNS), screen))


def test_verbose_lists_all() -> None:
    text = plan_text(plan_view(ALL_SIGNS), Screen(width=80, verbose=True, terminal=True))
    check("plan_80_verbose.txt", text)
    assert "more image" not in text
    assert '40.png  "KAEL_07, pose number 40"' in text


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_screen(width: int, verbose: bool) -> None:
    address = "model.a-name-so-long"  # an address and a file's place are never cut: people copy them
    plan = replace(ALL_SIGNS, changes=tuple(c for c in ALL_SIGNS.changes if not str(c.address).startswith(address)))
    plan = replace(plan, diagnostics=())
    for line in plan_text(plan_view(plan), Screen(width=width, verbose=verbose, terminal=True)).splitlines():
        assert columns(line) <= width, line


def test_colour_changes_no_letter() -> None:
    plain = plan_text(plan_view(ALL_SIGNS), Screen(width=80, terminal=True))
    colored = plan_text(plan_view(ALL_SIGNS), Screen(width=80, color=True, terminal=True))
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


def test_escapes_in_captions_never_reach_the_terminal() -> None:
    assert "\x1b" not in plan_text(plan_view(ALL_SIGNS), Screen(width=80))


def test_the_sum_is_one_line_where_nobody_watches() -> None:
    last = plan_text(plan_view(ALL_SIGNS), Screen(width=80)).splitlines()[-1]
    assert last == (
        "Plan: 1 create, 1 update, 2 retrain, 1 replace, 1 delete, 1 wait, 1 move, 1 forget, 2 unchanged. "
        "128 requests, at least 60 s at 100/min (polls: about 5). About 1,466 CU, plus 1 training of unknown cost."
    )


@pytest.mark.parametrize(
    ("plan", "end"),
    [
        (plan_of(REPLACED), "Plan: 0 create, 0 update, 1 replace, 0 delete, 0 unchanged. 0 requests. 230 CU."),
        (
            plan_of(CREATED, steps=(upload(1, KAEL, "1.png"),)),
            "Plan: 1 create, 0 update, 0 replace, 0 delete, 0 unchanged. 1 request. Cost unknown (no model of this "
            "type exists yet; checked against the limits before the first upload).",
        ),
        (
            plan_of(replace(REPLACED, cost=Cost(cu=99.5, source="history")), steps=(upload(1, KAEL, "1.png"),)),
            "1 request. About 100 CU (estimated from past trainings).",
        ),
        (
            plan_of(CREATED, steps=(upload(1, KAEL, "1.png"),), rate_limit=0),
            " checked against the limits before the first upload).",
        ),
    ],
)
def test_the_sum_says_what_it_costs(plan: Plan, end: str) -> None:
    assert plan_text(plan_view(plan), Screen()).rstrip().endswith(end)


def test_nothing_to_do_is_one_sentence() -> None:
    header = "Plan for manifests/quickstart on the embedded Scenario\n\n"
    assert plan_text(plan_view(NOTHING), Screen()) == f"{header}No changes. 1 resource matches the manifest.\n"
    assert plan_text(plan_view(NOTHING), Screen(quiet=True)) == "No changes. 1 resource matches the manifest.\n"


def test_the_header_names_manifest_project_and_endpoint() -> None:
    source = replace(SOURCE, endpoint="https://x.test/v1", project="proj_7")
    text = plan_text(plan_view(replace(NOTHING, source=source)), Screen())
    assert text.startswith("Plan for manifests/quickstart on Scenario (project proj_7) at https://x.test/v1\n")


def test_the_next_command_is_the_last_line() -> None:
    text = plan_text(plan_view(plan_of(REPLACED), PlanContext(next_command="scenario-apply apply --local")), Screen())
    assert text.endswith("\n\nNext: scenario-apply apply --local\n")


def test_what_is_not_selected_is_not_counted_as_unchanged() -> None:
    other = Change(address=WINTER, action=Action.NONE, notes=(NotSelected(), RollbackPinned(address=KAEL, version=1)))
    assert "0 unchanged, 1 not selected." in plan_text(plan_view(plan_of(REPLACED, other)), Screen())
    same = Change(address=KAEL, action=Action.NONE)
    text = plan_text(plan_view(plan_of(same, other), PlanContext(recorded=[KAEL, WINTER])), Screen(quiet=True))
    assert text == "No changes. 1 resource matches the manifest; 1 not selected.\n"


def test_nothing_to_do_says_when_the_service_was_not_asked() -> None:
    text = plan_text(plan_view(replace(NOTHING, refreshed=False)), Screen())
    assert text.endswith("No changes. 1 resource matches the manifest (not compared with Scenario).\n")


WINTER = Address("composition", "winter")
WAITING = Change(
    address=WINTER, action=Action.NONE, notes=(Prevented("untrained-part", "composition.winter waits for model.late"),)
)


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ([KAEL], "No changes. 1 resource matches the manifest. This plan does not create composition.winter."),
        ([], "No changes. The state records no resource. This plan does not create composition.winter, model.kael."),
        ([KAEL, WINTER], "No changes. All 2 resources match the manifest."),
    ],
)
def test_what_waits_is_not_told_as_recorded(recorded: list[Address], said: str) -> None:
    plan = plan_of(WAITING, Change(address=KAEL, action=Action.NONE))
    text = plan_text(plan_view(plan, PlanContext(recorded=recorded)), Screen())
    assert said in text
    assert "composition.winter waits for model.late" in text


def test_a_plan_that_is_forbidden_does_not_say_that_there_is_nothing_to_do() -> None:
    problem = Diagnostic(code="protected", message="model.kael is protected against being deleted")
    text = plan_text(plan_view(replace(NOTHING, blocked=(problem,)), PlanContext(recorded=[KAEL])), Screen())
    assert "This plan cannot be applied" in text
    assert "No changes" not in text


def test_a_destroy_of_nothing_says_so_and_judges_no_pictures() -> None:
    lint = Diagnostic(code="D99", severity="warning", message="the trigger is missing in 3 captions")
    text = plan_text(plan_view(plan_of(diagnostics=(lint,)), PlanContext(mode="destroy", recorded=[])), Screen())
    assert text.endswith("\n\nNothing to destroy: the state records no resource.\n")


def test_consent_is_asked_for_once() -> None:
    change = Change(address=KAEL, action=Action.DELETE, reasons=(NoLongerDeclared(),), notes=(DeleteNeedsConsent(),))
    for screen in (Screen(), Screen(quiet=True)):
        text = plan_text(plan_view(plan_of(change, withheld=(KAEL,))), screen)
        assert text.count("--allow-destroy") == 1


def test_quiet_leaves_out_warnings_notes_and_hints() -> None:
    text = plan_text(plan_view(ALL_SIGNS), Screen(quiet=True))
    assert "error[gate-retrains]" in text
    for word in ("warning", "hint", "pinned to version 1", "version 1 is kept"):
        assert word in plan_text(plan_view(ALL_SIGNS), Screen())
        assert word not in text


def test_refresh_only_shows_drift_and_nothing_else() -> None:
    plan = plan_of(REPLACED, drift=(Drift(address=KAEL, what="name", recorded="A", observed="B"),))
    text = plan_text(plan_view(plan, PlanContext(mode="drift")), Screen())
    assert "recorded A, now B" in text
    assert "replaced" not in text
    assert text.endswith("Drift: 1 difference in 1 resource. Run `scenario-apply plan` to see how to repair it.\n")


def test_hundreds_of_changes_are_told_briefly() -> None:
    many = plan_of(*(replace(CREATED, address=Address("model", f"m{n}")) for n in range(500)))
    text = plan_text(plan_view(many), Screen())
    assert len(text.splitlines()) < 1100
    assert "500 changes; --full shows" in text
    assert "pose number 1" in plan_text(plan_view(many), Screen(verbose=True))


def test_images_that_several_changes_share_are_listed_once() -> None:
    """Six children of a matrix train on the same images; -v lists them for each."""
    created = CREATED
    children = [replace(created, address=Address("model", "hero", label)) for label in ("a", "b", "c", "d", "e", "f")]
    path = created.images.add[0].path
    text = plan_text(plan_view(plan_of(*children)), Screen(width=80, terminal=True))
    assert text.count(path) == 1
    assert text.count("      the same images as model.hero/a\n") == 5
    assert plan_text(plan_view(plan_of(*children)), Screen(width=80, verbose=True)).count(path) == 6
    other = replace(children[1], images=replace(created.images, add=created.images.add[:-1]))
    assert plan_text(plan_view(plan_of(children[0], other)), Screen(width=80)).count(path) == 2, "those are others"


def test_a_destroy_speaks_of_deletes_only() -> None:
    """No zeros of what it never does, and no reason that its title gives already."""
    gone = Change(address=KAEL, action=Action.DELETE, reasons=(DestroyAskedFor(),), requests=1)
    kept = Change(address=Address("model", "kept"), action=Action.NONE, notes=(Prevented("kept", "protected"),))
    text = plan_text(plan_view(plan_of(gone, kept), PlanContext(mode="destroy")), Screen(width=80))
    assert "Plan: 1 delete, 1 kept. 0 requests. No charge.\n" in text
    assert "destroy was asked for" not in text
    assert "create" not in text
