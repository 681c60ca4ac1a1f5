"""Samples side by side on the pages of report, status, plan and apply."""

from __future__ import annotations

import argparse
import io
import os
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from scenario_apply import __main__
from scenario_apply.cli.compared_pictures import compared_album, pictures_of
from scenario_apply.cli.compared_sections import ComparedSamples, compared_samples
from scenario_apply.cli.settings import read_settings
from scenario_apply.model.steps import DrawSample, PlannedStep
from scenario_apply.planning.plan import Plan
from scenario_apply.review.html.album import PICTURE_BYTES
from scenario_apply.state.state import Record, State
from tests.cli.plans import plan_of
from tests.review.compared import FAST, HARBOUR, KAEL, SLOW, picture, request, sample, state_of, version
from tests.review.compared_project import write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    root = tmp_path_factory.mktemp("project")
    return root, write_project(root, versions=3, prompts=2)


def samples(project: tuple[Path, State], **more: object) -> ComparedSamples:
    root, state = project
    settings = read_settings(argparse.Namespace(local=True), {})
    return compared_samples(more.pop("state", state), str(root), settings, **more)  # type: ignore[arg-type]  # by name


def drawing(*prompts: str) -> Plan:
    steps = tuple(
        PlannedStep(id=f"s{n}", step=DrawSample(address=KAEL, number=4, sample=request(prompt, seed=n)))
        for n, prompt in enumerate(prompts)
    )
    return plan_of(steps=steps)


def test_a_report_has_one_table_of_all_versions(project: tuple[Path, State]) -> None:
    found = samples(project)
    assert [view.title for view in found.views] == ["model.kael"]
    assert [head.title for head in found.views[0].columns] == ["version 1", "version 2", "version 3"]
    assert all(image.src for image in found.album.values())
    assert len(found.album) == 6


def test_the_children_of_a_sweep_share_a_table(project: tuple[Path, State]) -> None:
    records = {a: Record(current=version(1, sample(request(HARBOUR), picture(a.label)))) for a in (SLOW, FAST)}
    found = samples(project, state=state_of(records))
    assert [view.title for view in found.views] == ["model.kael-lr/*"]
    assert len(found.views[0].columns) == 2


def test_what_the_next_apply_draws_stands_beside_what_is_in_use(project: tuple[Path, State]) -> None:
    found = samples(project, plan=drawing("KAEL_07 at the harbour"), only_planned=True)
    (view,) = found.views
    assert [head.title for head in view.columns] == ["version 3", "after the next apply"]
    assert view.rows[0].cells[0].pictures
    assert view.rows[0].cells[1].missing == "will be drawn"


def test_what_was_never_drawn_has_a_table_of_what_will_be(project: tuple[Path, State]) -> None:
    """So that the page of a run has the section, which is filled at its end."""
    found = samples(project, state=State(), plan=drawing("KAEL_07 at the harbour"))
    (view,) = found.views
    assert [head.title for head in view.columns] == ["after the next apply"]
    assert [cell.missing for row in view.rows for cell in row.cells] == ["will be drawn"]


def test_a_plan_that_draws_nothing_has_no_such_section(project: tuple[Path, State]) -> None:
    assert samples(project, plan=drawing(), only_planned=True).section() is None


def test_versions_that_drew_nothing_are_left_out_but_for_the_one_in_use(project: tuple[Path, State]) -> None:
    root, state = project
    record = state.records[KAEL]
    bare = replace(record, previous=tuple(replace(one, samples=()) for one in record.previous))
    found = samples((root, state), state=state.with_record(KAEL, bare))
    assert [head.title for head in found.views[0].columns] == ["version 3"]


def test_a_selection_leaves_other_tables_out(project: tuple[Path, State]) -> None:
    found = samples(project)
    assert found.section([SLOW]) is None
    assert found.section([KAEL]) is not None


def test_pictures_fit_into_their_share_of_a_page(tmp_path: Path) -> None:
    """Beside many others, each is made smaller; none is lost. Alone, they stay as they are."""
    folder = tmp_path / ".scenario" / "samples"
    folder.mkdir(parents=True)
    drawn = []
    for name in ("a", "b"):
        out = io.BytesIO()
        Image.effect_noise((256, 200), 80).convert("RGB").save(out, "WEBP", quality=60)
        digest = sha256(out.getvalue()).hexdigest()
        (folder / f"{digest}.webp").write_bytes(out.getvalue())
        drawn.append(picture(name, thumbnail=digest))
    state = state_of({KAEL: Record(current=version(1, sample(request(HARBOUR), *drawn)))})
    pictures = pictures_of(samples((tmp_path, state)).views)
    settings = read_settings(argparse.Namespace(local=True), {})
    room = PICTURE_BYTES // 1402
    small = compared_album(pictures, str(tmp_path), None, settings, others=1400)
    assert all(0 < len(image.src) * 3 // 4 <= room + 30 for image in small.values())
    whole = compared_album(pictures, str(tmp_path), None, settings)
    assert {(image.width, image.height) for image in whole.values()} == {(256, 200)}


@pytest.mark.parametrize("words", [("report",), ("status", "--format", "html")])
def test_pages_have_the_section(
    project: tuple[Path, State],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(project[0])
    for name in [name for name in os.environ if name.startswith("SCENARIO_")]:
        monkeypatch.delenv(name)
    assert __main__.main([*words, "--local", "--no-refresh"]) == 0
    page = capsys.readouterr().out
    assert '<section id="samples"' in page
    assert page.partition('<section id="samples"')[2].partition("</section>")[0].count("<img ") == 6
    if words == ("report",):
        assert page.index('<section id="samples"') < page.index('<section id="statistics"'), "pictures come first"
        assert __main__.main([*words, "--local", "--no-refresh", "--no-samples"]) == 0
        assert '<section id="samples"' not in capsys.readouterr().out
