"""plan --format html: one page with the pictures that change, for people who review the plan. It changes nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from scenario_apply import __main__
from scenario_apply.review.html.album import PICTURE_BYTES, room_for
from tests.dataset.scan.test_git_objects import git

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = """\
version: 1
models:
  kael: { type: flux.1-lora, dataset: { images: ./kael, trigger: KAEL_07 } }
  twin: { type: flux.1-lora, dataset: { images: ./kael, trigger: KAEL_07 }, parameters: { nbEpochs: 12 } }
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kael").mkdir()
    for path in sorted(PICTURES.glob("0[1-5]*.jpg")):
        small(path, tmp_path / "kael" / path.name)
        shutil.copy(path.with_suffix(".txt"), tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    return tmp_path


def small(source: Path, target: Path) -> None:
    with Image.open(source) as image:
        image.draft("RGB", (320, 320))
        image.resize((320, 320 * image.height // image.width)).save(target)


def page(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert __main__.main(["plan", "--no-refresh", "--format", "html", *words]) == code
    return capsys.readouterr().out


def whys(text: str) -> list[str]:
    return re.findall(r"not shown: ([^<]*)<", text)


def test_every_picture_is_shown_once_with_its_caption(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two models with the same pictures show them once. Another page of the same plan is the same."""
    text = page(capsys)
    assert text.startswith("<!doctype html>")
    assert text.count('<img src="data:image/webp;base64,') == 5
    assert text.count("<figure") == 5
    assert "KAEL_07, sitting on a log beside a campfire" in text
    assert "the same images as model.kael" in text
    assert {path.name for path in home.iterdir()} <= {"kael", "scenario.yaml", ".scenario"}
    assert page(capsys).partition("<footer")[0] == text.partition("<footer")[0]


def test_pictures_in_git_lfs_say_that_they_are_not_pulled(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 123456\n"
    (home / "kael" / "01_dusk_portrait.jpg").write_text(pointer)
    assert whys(page(capsys)) == ["not pulled from Git LFS"]


def test_a_near_duplicate_stands_beside_what_it_repeats(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Image.open(home / "kael" / "01_dusk_portrait.jpg") as image:
        image.resize((280, 350)).save(home / "kael" / "06_again.jpg")
    (home / "kael" / "06_again.txt").write_text("KAEL_07, another caption for the same picture")
    text = page(capsys)
    assert re.search(r'<figure [^>]*data-codes="[^"]*\bD02\b', text)
    assert "like <bdi>01_dusk_portrait.jpg</bdi>" in text
    assert text.count('<img src="data:image/webp;base64,') == 7


def test_a_manifest_with_errors_has_a_page_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "scenario.yaml").write_text(MANIFEST.replace("flux.1-lora", "flux.9-<b>lora", 1))
    text = page(capsys, code=1)
    assert "This plan could not be made" in text
    assert "flux.9-&lt;b&gt;lora" in text


def test_on_a_stream_without_utf_8_the_page_reads_the_same(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scenario_apply.cli.output_encoding import for_browsers

    (home / "kael" / "01_dusk_portrait.txt").write_text("KAEL_07, \u6c34\u58a8\u753b", encoding="utf-8")
    text = page(capsys)
    assert "\u6c34\u58a8\u753b" in text
    assert "&#27700;&#22696;&#30011;" in for_browsers(text, "latin-1")
    assert for_browsers(text, "latin-1").isascii()
    assert for_browsers(text, "UTF-8") == text


def test_what_was_replaced_is_shown_from_the_last_commit(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides of a replaced picture, and the one that was removed, in a checkout that has them in its history."""
    monkeypatch.setenv("SCENARIO_APPLY_LOCAL_TRAINING_SECONDS", "0.1")
    (home / "scenario.yaml").write_text("".join(MANIFEST.splitlines(keepends=True)[:3]))
    git(home, "init", "-q")
    git(home, "add", "kael")
    git(home, "commit", "-q", "-m", "first")
    assert __main__.main(["apply", "--local", "--auto-approve", "--poll-interval", "0.2", "-q"]) == 0
    replaced, removed = home / "kael" / "01_dusk_portrait.jpg", home / "kael" / "02_winter_night.jpg"
    small(PICTURES / "08_taking_aim.jpg", replaced)
    removed.unlink()
    removed.with_suffix(".txt").unlink()
    text = page(capsys, "--local")
    assert whys(text) == []
    assert re.findall('<figure class="figure (.*?)"', text) == ["replaced", "removed"]
    assert text.count('<img src="data:image/webp;base64,') == 3
    shutil.rmtree(home / ".git")
    assert whys(page(capsys, "--local")) == ["its file is neither here nor in a commit at hand"] * 2


def test_any_number_of_pictures_has_the_same_room() -> None:
    for pictures in (0, 1, 50, 500, 1450, 100_000):
        room = room_for(pictures)
        assert room.pictures * room.bytes_each <= PICTURE_BYTES
        assert room.bytes_each >= 2_000
    assert room_for(500).bytes_each == PICTURE_BYTES // 500
    assert room_for(3).pictures == 3
