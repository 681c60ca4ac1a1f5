"""compare: what is recorded, side by side, without a request."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scenario_apply import __main__
from tests.review.compared_project import write_project

COMMON = ("--local", "--no-refresh")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path, versions=2, prompts=2, pictures=2)
    monkeypatch.chdir(tmp_path)
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*words: str) -> int:
    return __main__.main(["compare", *words])


def page(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(*words, "--format", "html", *COMMON) == 0
    return capsys.readouterr().out


def test_text_and_json_show_both_versions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model.kael", *COMMON) == 0
    assert "version 1" in capsys.readouterr().out
    assert run("model.kael", "@previous", "scenario.yaml", "--format", "json", *COMMON) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["format_version"] == "1.0"
    assert [column["version"] for column in plain["columns"]] == [1, 2]
    assert [row["prompt"] for row in plain["rows"]] == ["KAEL_07 at the harbour", "KAEL_07 portrait, green cloak"]


def test_a_page_holds_the_small_copies(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page(capsys, "model.kael").count("data:image/webp;base64,") == 8


def test_a_page_goes_into_a_file_that_is_a_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model.kael", "--format", "html", "--out", "kael.html", *COMMON) == 0
    assert (here / "kael.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == ""
    assert run("model.kael", "--format", "html", "--out", "scenario.yaml", *COMMON) == 1
    assert (here / "scenario.yaml").read_text().startswith("version: 1")


def test_copies_that_are_missing_changed_or_links_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is shown but a file with the digest that the state names."""
    first, second, third, *_ = sorted((here / ".scenario" / "samples").iterdir())
    first.unlink()
    second.write_bytes(third.read_bytes())
    moved = here / "elsewhere.webp"
    third.rename(moved)
    third.symlink_to(moved)
    shown = page(capsys, "model.kael")
    assert shown.count("data:image/webp;base64,") == 5
    assert "its small copy is not in .scenario/samples/" in shown
    assert "its small copy was changed" in shown
    assert "in its place is a link, or what is no regular file" in shown


def test_what_is_no_picture_is_not_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its digest alone does not make it one."""
    from hashlib import sha256

    state = (here / "state" / "scenario.json").read_text()
    copy = next((here / ".scenario" / "samples").iterdir())
    for data in (b"<script>alert(1)</script>", b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 40):
        digest = sha256(data).hexdigest()
        (here / ".scenario" / "samples" / f"{digest}.webp").write_bytes(data)
        (here / "state" / "scenario.json").write_text(state.replace(copy.stem, digest))
        assert page(capsys, "model.kael").count("data:image/webp;base64,") == 7


def test_options_that_do_nothing_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("model.kael", "--out", "x.html", *COMMON) == 64
    assert "--out is an option of --format html" in capsys.readouterr().err


def test_an_address_that_is_not_recorded_is_an_error_with_a_hint(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("model.kale", *COMMON) == 1
    assert "did you mean model.kael?" in capsys.readouterr().err


def test_distances_to_the_dataset_use_hashes_of_an_earlier_scan(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pictures that the version was trained on, by the digests of their files."""
    from hashlib import sha256

    digest = sha256((here / "kael" / "0.png").read_bytes()).hexdigest()
    state = json.loads((here / "state" / "scenario.json").read_text())
    for version in (state["resources"]["model.kael"]["current"],):
        version["images"] = [{"path": "0.png", "sha256": digest, "asset_id": "asset_0", "caption": "KAEL"}]
    (here / "state" / "scenario.json").write_text(json.dumps(state))
    assert __main__.main(["validate"]) == 0
    capsys.readouterr()
    assert run("model.kael@2", "--format", "json", *COMMON) == 0
    picture = json.loads(capsys.readouterr().out)["rows"][0]["cells"][0]["pictures"][0]
    assert picture["nearest"] == "0.png"
    assert picture["distance_to_dataset"] > 0


def git(here: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(["git", *who, *words], cwd=here, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_comment_links_the_copies_that_the_commit_has(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was removed from Git, and is still on the disk, is counted."""
    git(here, "init", "-q")
    git(here, "add", "-f", ".scenario/samples")
    git(here, "commit", "-qm", "samples")
    words = ("model.kael", "--format", "markdown", "--repo-url", "https://git.example/o/r", "--head", "a" * 40)
    assert run(*words, *COMMON) == 0
    assert capsys.readouterr().out.count(f"https://git.example/o/r/blob/{'a' * 40}/.scenario/samples/") == 16
    git(here, "rm", "-q", "--cached", "-r", ".scenario")
    git(here, "commit", "-qm", "no samples")
    assert run(*words, *COMMON) == 0
    shown = capsys.readouterr().out
    assert "git.example" not in shown
    assert "2 pictures" in shown


def test_a_comment_names_the_command_that_makes_a_page_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every option that the comparison needs, so that it can be pasted."""
    assert run("model.kael", "@previous", "scenario.yaml", "--epochs", "--format", "markdown", *COMMON) == 0
    command = capsys.readouterr().out.partition("All pictures: `")[2].partition("`")[0].split()
    assert command[:2] == ["scenario-apply", "compare"]
    assert {"@previous", "scenario.yaml", "--epochs", "--local"} <= {*command}
    assert run(*command[2:], "--no-refresh") == 0
    assert (here / "samples.html").read_text().startswith("<!doctype html>")


def test_a_comment_shows_copies_below_a_given_address(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_APPLY_SAMPLES_URL", "https://example.com/samples")
    assert run("model.kael", "--format", "markdown", *COMMON) == 0
    assert capsys.readouterr().out.count('<img src="https://example.com/samples/') == 8
    assert run("model.kael", "--samples-url", "https://example.com", *COMMON) == 64
    assert run("model.kael", "--samples-url", "file:///x", "--format", "markdown", *COMMON) == 64


def test_a_service_that_is_not_or_cannot_be_asked_leaves_what_is_recorded(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sentence on what is missing."""
    state = (here / "state" / "scenario.json").read_text()
    endpoint = "http://127.0.0.1:9/v1"
    (here / "state" / "scenario.json").write_text(state.replace('"endpoint": "local"', f'"endpoint": "{endpoint}"'))
    monkeypatch.setenv("SCENARIO_BASE_URL", endpoint)
    assert run("model.kael", "--format", "html") == 0
    told = capsys.readouterr()
    assert told.out.count("data:image/webp;base64,") == 8
    assert "Scenario was not asked (there are no credentials)" in told.err
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
    monkeypatch.setattr("time.sleep", lambda _s: None)
    assert run("model.kael", "--epochs") == 0
    told = capsys.readouterr()
    assert "2 samples" in told.out
    assert "Scenario could not be asked" in told.err
