"""A state that is not where a command looks is named before all is paid for again; no two manifests share one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scenario_apply.__main__ import main

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: ./kael }\n"
OTHER = "version: 1\nmodels:\n  other: { type: flux.1-lora, dataset: ./kael }\n"
APPLY = ["apply", "--local", "--auto-approve", "--no-wait"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for suffix in ("jpg", "txt"):
        shutil.copy(PICTURES / f"01_dusk_portrait.{suffix}", folder / "kael")
    (folder / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    return folder


def said(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    """Everything that a command prints, in one line."""
    capsys.readouterr()
    assert main(words) == code
    shown = capsys.readouterr()
    return " ".join((shown.out + shown.err).split())


@pytest.mark.parametrize("words", [["state", "list"], ["output"], ["status", "--no-refresh"], ["plan", "--local"]])
def test_another_state_beside_one_that_is_used_is_not_just_empty(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(APPLY) == 0
    text = said([*words, "--state", "../other.json"], capsys)
    assert "there is no state" in text
    assert "scenario.json records 1 of its resources" in text
    assert "paid for again" in text


def test_a_state_that_was_named_once_is_remembered(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A colleague's job names it, a laptop forgets to."""
    assert main([*APPLY, "--state", "../prod.json"]) == 0
    text = said(["plan", "--local"], capsys)
    assert "state-elsewhere" in text
    assert "it was applied with --state" in text
    assert "prod.json" in text
    assert "state-elsewhere" not in said(["plan", "--local", "--state", "../prod.json"], capsys)


def test_a_note_of_states_that_came_with_a_commit_is_not_believed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could ask for any path, and have it recommended."""
    assert main([*APPLY, "--state", "../prod.json"]) == 0
    note = home / ".scenario" / "states"
    assert (home / ".scenario" / ".gitignore").read_text().endswith("*\n")
    content = note.read_text()
    copy = note.with_name("copy")
    copy.write_text(content)
    copy.replace(note)
    assert "it was applied with --state" not in said(["plan", "--local"], capsys)


def test_a_state_whose_name_is_not_unicode_is_remembered_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run must not end before its first request because of a note."""
    state = home.parent / os.fsdecode(b"caf\xe9.json")
    try:
        state.touch()
    except OSError:
        pytest.skip("this file system takes no such names")
    state.unlink()
    assert main([*APPLY, "--state", str(state)]) == 0
    assert "it was applied with --state" in said(["plan", "--local"], capsys)


def test_a_state_with_a_line_break_in_its_name_is_not_noted_as_two(home: Path) -> None:
    assert main([*APPLY, "--state", "../a\nb.json"]) == 0
    assert not (home / ".scenario" / "states").exists()


def test_a_state_that_was_removed_is_named_with_its_backup(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(APPLY) == 0
    (home / "state" / "scenario.json").unlink()
    text = said(["plan", "--local"], capsys)
    assert "the state was removed; bring it back: cp" in text


def test_the_state_of_a_manifest_that_was_renamed_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(APPLY) == 0
    (home / "scenario.yaml").rename(home / "kael.yaml")
    assert "if the manifest was renamed" in said(["plan", "kael.yaml", "--local"], capsys)


def test_the_state_of_a_manifest_that_is_named_through_a_link_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(APPLY) == 0
    (home / "kael.yaml").symlink_to("scenario.yaml")
    assert "or is a link" in said(["plan", "kael.yaml", "--local"], capsys)


@pytest.mark.parametrize("use", ["another service", "another manifest", "nothing applied"])
def test_what_is_no_state_of_this_manifest_is_not_mentioned(
    use: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if use == "another manifest":
        (home / "props.yaml").write_text(OTHER.replace("other", "kael"))
        assert main([*APPLY[:1], "props.yaml", *APPLY[1:]]) == 0
    elif use == "another service":
        assert main(APPLY) == 0
        state = home / "state" / "scenario.json"
        state.write_text(state.read_text().replace('"local"', '"https://elsewhere.test/v1"'))
        state.rename(home / "state" / "old.json")
        shutil.rmtree(home / "state" / "backups")
    assert "state-elsewhere" not in said(["plan", "--local"], capsys)


@pytest.mark.parametrize("first", ["scenario.yaml", "scenario.yml"])
def test_manifests_that_differ_in_their_ending_do_not_share_a_state(
    first: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each would delete what only the other declares."""
    assert main(APPLY) == 0
    (home / "scenario.yml").write_text(OTHER)
    before = (home / "state" / "scenario.json").read_bytes()
    text = said(["apply", first, "--local", "--auto-approve", "--allow-destroy"], capsys, 1)
    assert "state-shared" in text
    assert "have the same state" in text
    assert (home / "state" / "scenario.json").read_bytes() == before
    assert main(["plan", first, "--local", "--state", "state/second.json"]) == 0


@pytest.mark.parametrize(
    "text",
    ["01.png: a caption\n", "state: state/other.json\n" + OTHER, "x" * 10],
    ids=["captions", "own state", "text"],
)
def test_a_neighbour_that_is_no_manifest_or_has_its_own_state_is_no_fault(text: str, home: Path) -> None:
    (home / "scenario.yml").write_text(text)
    assert main(["plan", "--local"]) == 0


def test_a_template_beside_what_is_made_from_it_is_a_warning(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "scenario.yaml.j2").write_text(MANIFEST)
    assert "warning[state-shared]" in said(["plan", "--local"], capsys)


def test_a_file_that_is_included_is_the_same_manifest(home: Path) -> None:
    (home / "scenario.yaml").write_text("version: 1\ninclude: scenario.yml\n")
    (home / "scenario.yml").write_text(MANIFEST)
    assert main(["plan", "--local"]) == 0
