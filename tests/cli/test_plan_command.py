"""plan: options that contradict each other are refused, and --format json answers in JSON whatever happens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenario_apply import __main__
from scenario_apply.errors import ManifestError
from scenario_apply.planning.changes import SUMMARY_ACTIONS

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael }
models:
  kael: { type: flux.1-lora, dataset: kael }
  other: { type: flux.1-lora, dataset: kael }
  lr: { type: flux.1-lora, dataset: kael, matrix: { learningRate: { slow: 5e-5, fast: 2e-4 } } }
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PICTURES, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    return tmp_path


def run(*words: str) -> int:
    return __main__.main(list(words))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--refresh-only --no-refresh", "--refresh-only cannot be combined with --no-refresh"),
        ("--refresh-only --out p.json", "--refresh-only cannot be combined with --out"),
        ("--refresh-only --replace model.kael", "--refresh-only cannot be combined with --replace"),
        ("--refresh-only --destroy", "--refresh-only cannot be combined with --destroy"),
        ("--destroy --no-refresh --replace model.kael", "--destroy cannot be combined with --replace"),
        ("--destroy --no-refresh --train model.kael", "--destroy cannot be combined with --train"),
        ("--no-refresh --out -", "--out takes a file"),
        ("--no-refresh --select model.other --replace model.kael", "--replace names model.kael, and --select"),
        ("--no-refresh --exclude model.kael --train model.kael", "--train names model.kael, and --select or --exclude"),
        ("--no-refresh --exclude model.lr --replace model.lr", "--replace names model.lr"),
    ],
)
def test_what_would_be_ignored_is_refused(options: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", *options.split()) == 64
    streams = capsys.readouterr()
    assert said in streams.err
    assert not Path("p.json").exists()


def test_a_matrix_may_be_named_whole_and_selected_in_part() -> None:
    assert run("plan", "--no-refresh", "--select", "model.lr/slow", "--replace", "model.lr") == 0


@pytest.mark.parametrize(
    ("words", "manifest", "codes"),
    [
        (["nowhere.yaml"], MANIFEST, {"no-manifest"}),
        ([], MANIFEST.replace("flux.1-lora", "flux.9-lora"), {"unknown-type"}),
        ([], MANIFEST.replace("./kael", "./kale"), None),
        ([], MANIFEST, {"no-credentials"}),
    ],
)
def test_a_plan_that_cannot_be_made_is_json_too(
    words: list[str], manifest: str, codes: set[str] | None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document with every problem; stderr and the exit code as without --format json."""
    (home / "scenario.yaml").write_text(manifest)
    assert run("plan", *words, "--format", "json") == 1
    streams = capsys.readouterr()
    plan = json.loads(streams.out)
    assert plan["format_version"] == "1.0"
    assert (plan["errored"], plan["applyable"], plan["complete"]) == (True, False, False)
    assert plan["summary"] == {action.value: 0 for action in SUMMARY_ACTIONS}
    assert (plan["changes"], plan["steps"], plan["requests"]["total"]) == ([], [], 0)
    errors = {found["code"] for found in plan["diagnostics"] if found["severity"] == "error"}
    assert errors
    assert codes is None or errors == codes
    assert all(code in streams.err for code in errors)


def test_an_unreachable_service_is_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no secret is in it."""
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key_1")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "s3cr3t-of-ours")
    monkeypatch.setenv("SCENARIO_BASE_URL", "http://127.0.0.1:9/v1")
    manifest = MANIFEST + "compositions:\n  mix:\n    concepts: [{ find: { name: A, type: flux.1-lora }, scale: 1 }]\n"
    Path("scenario.yaml").write_text(manifest)
    assert run("plan", "--format", "json") == 1
    plan = json.loads(capsys.readouterr().out)
    assert [found["code"] for found in plan["diagnostics"] if found["severity"] == "error"] == ["unreachable"]
    assert "s3cr3t" not in json.dumps(plan)


def _flip_a_byte_of_the_pixels(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("command", ["plan --no-refresh", "apply --local --auto-approve", "dataset show kael"])
def test_a_damaged_picture_stops_every_command_that_would_send_it(
    command: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checksum that only decoding checks is found before anything is created."""
    from tests.dataset.build import make_picture

    make_picture(home / "kael" / "09_new.png", seed=9)
    (home / "kael" / "09_new.txt").write_text("a ranger who opens a gate")
    _flip_a_byte_of_the_pixels(home / "kael" / "09_new.png")
    assert run(*command.split()) == 1
    assert "F02 damaged-image" in capsys.readouterr().err


def test_a_plan_sees_what_looks_alike_and_what_is_transparent(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """D02 and F06 are warnings of a plan too, which --strict stops; the next plan reads no picture for them."""
    from PIL import Image

    from scenario_apply.dataset.scan import pillow_images

    with Image.open(home / "kael" / "05_campfire.jpg") as image:
        image.resize((1100, 1100)).save(home / "kael" / "09_again.jpg", quality=85)
        clear = image.convert("RGBA").rotate(90)
    clear.putpixel((3, 3), (0, 0, 0, 0))
    clear.save(home / "kael" / "10_clear.png")
    (home / "kael" / "09_again.txt").write_text("embers glow")
    (home / "kael" / "10_clear.txt").write_text("a tilted camp at night")
    import os
    import time

    for path in (home / "kael").iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert run("plan", "--no-refresh", "--select", "model.kael") == 0
    first = capsys.readouterr()
    assert "D02 same-picture" in first.out + first.err
    assert "F06 transparency" in first.out + first.err
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pillow_images, "read_pixels", None)
        assert run("plan", "--no-refresh", "--strict") == 1


@pytest.mark.parametrize(
    ("written", "place"), [("state\\kael.json", "state/kael.json"), ("..\\kael.json", None), (".git\\kael.json", None)]
)
def test_backslashes_of_the_state_count_as_slashes(written: str, place: str | None, home: Path) -> None:
    """The places that `state:` must not name stay forbidden. A file of that very name is the state."""
    from scenario_apply.cli.locate import state_path
    from scenario_apply.manifest.loader.load import load_manifest

    (home / "scenario.yaml").write_text(f"{MANIFEST}state: '{written}'\n")
    manifest = load_manifest(None, variables={}, var_files=[], env={}, cwd=str(home), allow_env=[])
    if place is None:
        with pytest.raises(ManifestError):
            state_path(manifest, None, str(home))
        return
    assert state_path(manifest, None, str(home)) == str(home / place)
    (home / written).write_text("{}")
    assert state_path(manifest, None, str(home)) == str(home / written)


def test_full_lists_what_the_terse_plan_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """A model of eight pictures: six are listed, and the rest counted, unless everything is asked for."""
    assert run("plan", "--no-refresh", "--select", "model.kael") == 0
    assert "2 more images" in capsys.readouterr().out
    assert run("plan", "--no-refresh", "--select", "model.kael", "--full") == 0
    full = capsys.readouterr().out
    assert "more images" not in full
    assert all(picture.name in full for picture in PICTURES.iterdir() if picture.suffix in (".jpg", ".png"))


def test_a_comment_names_the_manifest_in_its_first_line_and_keeps_to_its_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("plan", "--no-refresh", "--format", "markdown", "--max-length", "4000") == 0
    text = capsys.readouterr().out
    assert text.startswith("<!-- scenario-apply:scenario.yaml -->\n\n### Plan for `scenario.yaml`\n")
    assert len(text) <= 4000
    assert run("plan", "--no-refresh", "--format", "markdown", "--comment-key", "mine") == 0
    assert capsys.readouterr().out.startswith("<!-- scenario-apply:mine -->\n")


def test_a_comment_on_a_plan_that_could_not_be_made_has_every_problem(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scenario.yaml").write_text(MANIFEST.replace("flux.1-lora", "flux.9-lora", 1))
    assert run("plan", "--no-refresh", "--format", "markdown") == 1
    streams = capsys.readouterr()
    assert "**This plan could not be made.**" in streams.out
    assert "flux.9-lora" in streams.out
    assert "flux.9-lora" in streams.err


@pytest.mark.parametrize(
    "options",
    [
        "--max-length 5000",
        "--format markdown --max-length 10",
        "--format markdown --comment-key a--b",
        "--format markdown --report-url javascript:x",
        "--format markdown --head main --repo-url https://h/o/r",
    ],
)
def test_options_of_comments_are_checked(options: str, home: Path) -> None:
    (home / ".git").mkdir()
    assert run("plan", "--no-refresh", *options.split()) == 64


def test_no_caption_is_a_command_in_the_log_of_a_pipeline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrapped caption may begin a line; the runner of GitHub Actions would carry out `::stop-commands::`."""
    Path("kael/05_campfire.txt").write_text(" ".join(["::stop-commands::x ##[add-mask]e"] * 20))
    run("plan", "--no-refresh", "--full")
    assert any(line.lstrip().startswith("::stop") for line in capsys.readouterr().out.splitlines())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run("plan", "--no-refresh", "--full")
    logged = capsys.readouterr().out
    assert not any(line.lstrip().startswith("::") for line in logged.splitlines())
    assert "##[" not in logged
    run("plan", "--no-refresh", "--format", "github")
    assert capsys.readouterr().out.startswith("::")
