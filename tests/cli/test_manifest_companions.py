"""What init finds and writes beside the manifest."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.manifest_companions import NO_CAPTIONS, captions_found

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPOSITORY / "manifests" / "quickstart" / "kael", tmp_path / "kael")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_the_schema_line_and_the_schema(home: Path) -> None:
    assert main(["init", "kael"]) == 0
    first = (home / "scenario.yaml").read_text().splitlines()[0]
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert path != first
    assert json.loads((home / path).read_text())["title"] == "scenario-apply manifest"
    assert main(["validate"]) == 0


def test_init_says_which_captions_it_found_and_what_to_run_next(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line can be pasted into a shell as it stands."""
    (home / "kael").rename(home / "my hero")
    assert main(["init", "my hero", "--out", "my hero.yaml"]) == 0
    said = capsys.readouterr()
    assert "  my-hero: 8 captions in .txt files\n" in said.err
    last = said.err.splitlines()[-1]
    assert last == ("Next: scenario-apply validate 'my hero.yaml' && scenario-apply plan 'my hero.yaml' --local")


def test_git_sees_the_manifest_and_not_what_belongs_to_this_machine(home: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    assert main(["init", "kael"]) == 0
    (home / "tonight.plan.json").touch()
    done = subprocess.run(["git", "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True)
    new = {line[3:] for line in done.stdout.splitlines() if not line[3:].startswith("kael/")}
    assert new == {"scenario.yaml", ".gitignore"}


def test_a_gitignore_of_the_user_stays_as_it_is(home: Path) -> None:
    (home / ".gitignore").write_text("mine\n")
    assert main(["init", "kael"]) == 0
    assert (home / ".gitignore").read_text() == "mine\n"
    assert (home / ".scenario" / ".gitignore").read_text().endswith("*\n")


def test_init_to_stdout_writes_nothing(home: Path) -> None:
    assert main(["init", "kael", "--out", "-"]) == 0
    assert sorted(path.name for path in home.iterdir()) == ["kael"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a.png", "a.txt", "b.png", "b.TXT"], "2 captions in .txt files"),
        (["a.png", "a.caption"], "1 caption in .caption files"),
        (["a.png", "b.png", "c.png", "a.txt"], "1 caption in .txt files, 2 images without one"),
        (["a.png", "a.png.txt"], "1 caption in .txt files"),
        (["a.png", "metadata.jsonl"], "captions in metadata.jsonl"),
        (["a.png", "captions.yaml"], "captions in captions.yaml"),
        (["a.png", "LICENSE.txt", ".a.txt"], NO_CAPTIONS),
    ],
)
def test_captions_are_told_from_other_texts(tmp_path: Path, names: list[str], found: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert captions_found(str(tmp_path)) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("file_name,text\na.png,a fox in snow\n", "captions in prices.csv"),
        ("sku,price\n1,2.50\n", NO_CAPTIONS),
        ("file_name,price\nb.pdf,2.50\n", NO_CAPTIONS),
    ],
)
def test_a_table_beside_the_pictures_counts_if_it_holds_captions(tmp_path: Path, content: str, found: str) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "prices.csv").write_text(content)
    (tmp_path / "pipe.csv").symlink_to("prices.csv")
    assert captions_found(str(tmp_path)) == found
