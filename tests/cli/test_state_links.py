"""A state that is a link stays one: what it leads to is written, or the link is refused with the reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.state_links import follow_state_link
from scenario_apply.errors import StateError

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: ./kael }\n"
APPLY = ["apply", "--local", "--auto-approve", "--no-wait"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest in home/, a shared folder beside it."""
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for suffix in ("jpg", "txt"):
        shutil.copy(PICTURES / f"01_dusk_portrait.{suffix}", folder / "kael")
    (folder / "scenario.yaml").write_text(MANIFEST)
    (folder / "state").mkdir()
    (tmp_path / "shared").mkdir()
    monkeypatch.chdir(folder)
    return folder


def link(home: Path, target: str) -> Path:
    path = home / "state" / "scenario.json"
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("words", [[], ["--state", "state/scenario.json"]])
def test_what_a_dangling_link_leads_to_is_written_and_the_link_stays(words: list[str], home: Path) -> None:
    path = link(home, "../../shared/prod.json")
    assert main([*APPLY, *words]) == 0
    shared = home.parent / "shared"
    assert path.is_symlink()
    assert '"model.kael"' in (shared / "prod.json").read_text()
    assert (shared / "backups").is_dir()  # with the state, for everybody who shares it
    assert sorted(p.name for p in (home / "state").iterdir()) == ["scenario.json"]


def test_everybody_who_links_to_it_sees_what_is_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link(home, str(home.parent / "shared" / "prod.json"))
    assert main([*APPLY]) == 0
    other = home.parent / "other.json"
    other.symlink_to(home.parent / "shared" / "prod.json")
    capsys.readouterr()
    assert main(["state", "list", "--state", str(other)]) == 0
    assert "model.kael" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("../../shared/prod.json", "out of the Git checkout"),
        ("../.git/prod.json", "hidden or not named like a state"),
        ("../scenario.yaml", "hidden or not named like a state"),
        ("scenario.json", "in a circle"),
        ("../gone/prod.json", "there is no such folder"),
    ],
)
def test_a_committed_link_leads_nowhere_else(
    target: str, why: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".git").mkdir()
    path = link(home, target)
    for words in ([], ["--state", "state/scenario.json"]):
        capsys.readouterr()
        assert main([*APPLY, *words]) == 1
        err = capsys.readouterr().err
        assert "error[state-link]" in err
        assert why in err.replace("\n", " ")
    assert path.is_symlink()
    assert os.readlink(path) == target
    assert not list((home.parent / "shared").iterdir())
    assert (home / "scenario.yaml").read_text() == MANIFEST


def test_a_link_within_a_checkout_is_followed(home: Path) -> None:
    (home / ".git").mkdir()
    (home / "states").mkdir()
    path = link(home, "../states/prod.json")
    assert main(APPLY) == 0
    assert path.is_symlink()
    assert (home / "states" / "prod.json").is_file()


def test_a_drive_that_is_not_mounted_is_no_empty_state(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link(home, "/nowhere/mounted/prod.json")
    assert main(["plan", "--local"]) == 1
    assert "mount or create it first" in capsys.readouterr().err


def test_the_command_line_may_name_a_link_outside_of_the_repository(home: Path) -> None:
    path = home.parent / "current"
    path.symlink_to(home.parent / "shared" / "of-any-name")
    assert follow_state_link(str(path), None, str(home)) == (str(home.parent / "shared" / "of-any-name"), None)
    with pytest.raises(StateError, match="not named like a state"):
        follow_state_link(str(link(home, str(home.parent / "shared" / "of-any-name"))), str(home), str(home))


def test_where_a_link_leads_is_quoted_for_a_shell(home: Path) -> None:
    """The target is the repository's text, and the hint is pasted."""
    (home / ".git").mkdir()
    path = link(home, "../../shared/a; touch b $(c).json")
    with pytest.raises(StateError) as caught:
        follow_state_link(str(path), str(home), str(home))
    hint = caught.value.problems[0].hint or ""
    assert f"--state '{home.parent}/shared/a; touch b $(c).json'" in hint
