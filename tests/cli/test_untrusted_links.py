"""A pull request may bring links, pipes and folders where the tool's own files belong: nothing outside is touched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from scenario_apply import __main__
from scenario_apply.dataset.scan.fingerprint_cache import Cache

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = "version: 1\ndatasets:\n  kael: { images: ./kael }\nmodels:\n  kael: { type: flux.1-lora, dataset: kael }\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in tmp_path/repo, and a folder beside it that belongs to the user."""
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    repo = tmp_path / "repo"
    (repo / "kael").mkdir(parents=True)
    for suffix in ("jpg", "txt"):
        shutil.copy(PICTURES / f"01_dusk_portrait.{suffix}", repo / "kael")
    (repo / "scenario.yaml").write_text(MANIFEST)
    mine = tmp_path / "mine"
    (mine / "parts").mkdir(parents=True)
    (mine / "parts" / "thesis.txt").write_text("years of work")
    (mine / "bashrc").write_text("alias ll='ls -l'\n")
    monkeypatch.chdir(repo)
    return repo


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def said(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    """What a command that fails says on stderr."""
    capsys.readouterr()
    found = __main__.main(words)
    err = capsys.readouterr().err
    assert found == code, err
    assert "Traceback" not in err
    return err


APPLY = ["apply", "--local", "--auto-approve"]
PLAN = ["plan", "--no-refresh"]
LINKS = [
    (".scenario", "parts", PLAN),
    (".scenario", "gone", PLAN),
    (".scenario/cache", "bashrc", PLAN),
    (".scenario/emulator", "parts", APPLY),
    (".scenario/emulator/emulator.lock", "bashrc", APPLY),
    (".scenario/emulator/emulator.users", "gone", APPLY),
    (".scenario/emulator/emulator.stderr", "bashrc", APPLY),
    (".scenario/emulator/emulator.stdin", "bashrc", APPLY),
    (".scenario/emulator/parts", "parts", APPLY),
    (".scenario/emulator/blobs", "parts", APPLY),
    (".scenario/emulator/scenario.db", "gone", APPLY),
    (".scenario/emulator/.scenario-emulator", "gone", APPLY),
    ("emulator-seed.json", "bashrc", APPLY),
    ("state", "parts", APPLY),
    ("state", "gone", APPLY),
    ("state/scenario.json", "bashrc", APPLY),
    ("state/scenario.json", "gone", APPLY),
    ("state/scenario.lock", "bashrc", APPLY),
    ("state/scenario.lock", "gone", APPLY),
    ("state/scenario.journal", "bashrc", APPLY),
    ("state/scenario.journal", "gone", APPLY),
    ("state/scenario.json", "bashrc", ["state", "list"]),
]


@pytest.mark.parametrize(("link", "target", "words"), LINKS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_link_in_the_place_of_a_file_of_ours_is_named_and_not_followed(
    link: str, target: str, words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / link).parent.mkdir(parents=True, exist_ok=True)
    (home / link).symlink_to(home.parent / "mine" / target)
    before = contents(home.parent / "mine")
    err = said(words, capsys)
    assert contents(home.parent / "mine") == before
    assert os.path.basename(link) in err
    assert "link" in err or "regular file" in err or "folder of its own" in err
    assert (home / link).is_symlink()


def test_backups_do_not_go_through_a_link(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The state stays as it was, and the lock is free again."""
    assert __main__.main([*APPLY, "--no-wait"]) == 0
    shutil.rmtree(home / "state" / "backups", ignore_errors=True)
    (home / "state" / "backups").symlink_to(home.parent / "mine")
    before, state = contents(home.parent / "mine"), (home / "state" / "scenario.json").read_bytes()
    assert "backups is a link" in said(["state", "rm", "model.kael"], capsys)
    assert contents(home.parent / "mine") == before
    assert (home / "state" / "scenario.json").read_bytes() == state
    assert not (home / "state" / "scenario.lock").exists()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_an_apply_that_could_not_back_up_its_state_pays_nothing(
    kind: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "state").mkdir(exist_ok=True)
    backups = home / "state" / "backups"
    backups.symlink_to(home.parent / "mine") if kind == "link" else os.mkfifo(backups)
    err = said([*APPLY, "--no-wait"], capsys)
    assert "could not be backed up" in err
    assert not (home / "state" / "scenario.json").exists()
    assert not (home / "state" / "scenario.journal").exists()
    backups.unlink()
    assert __main__.main(["plan", "--local", "--format", "json"]) == 0
    assert '"action": "create"' in capsys.readouterr().out


def test_force_unlock_removes_the_link_itself(home: Path) -> None:
    """It is the way out of a lock that is a link."""
    (home / "state").mkdir()
    (home / "state" / "scenario.lock").symlink_to(home.parent / "mine" / "bashrc")
    assert __main__.main(["force-unlock"]) == 0
    assert not (home / "state" / "scenario.lock").is_symlink()
    assert (home.parent / "mine" / "bashrc").exists()


@pytest.mark.parametrize("name", ["scenario.json", "scenario.lock", "scenario.journal"])
def test_a_folder_in_the_place_of_a_file_is_an_error(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state" / name).mkdir(parents=True)
    assert f"{name} is a folder, not a regular file" in said(APPLY, capsys)


def test_a_lock_that_is_a_folder_cannot_be_broken_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state" / "scenario.lock").mkdir(parents=True)
    err = said(["force-unlock"], capsys)
    assert "scenario.lock cannot be removed" in err
    assert "by hand" in err


@pytest.mark.parametrize("name", ["state/scenario.json", "state/scenario.lock", "state/scenario.journal"])
@pytest.mark.parametrize("words", [APPLY, ["state", "list"], ["force-unlock"]])
def test_a_pipe_holds_no_command_up(name: str, words: list[str], home: Path) -> None:
    (home / "state").mkdir()
    os.mkfifo(home / name)
    subprocess.run(  # a command that waits for the pipe never ends
        [sys.executable, "-m", "scenario_apply", *words], stdin=subprocess.DEVNULL, timeout=60, check=False
    )


def test_a_pipe_as_cache_is_an_error(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".scenario").mkdir()
    os.mkfifo(home / ".scenario" / "cache")
    assert "cache is a named pipe" in said(PLAN, capsys)


@pytest.mark.parametrize(
    "state",
    [
        "../x.json",
        "a/../../x.json",
        "/tmp/x.json",
        "out/x.json",
        "link.json",
        ".git/index.json",
        '"a\\0b"',
        "dangling",
        ".GIT/config",
        ".github/workflows/ci.yml",
        "a/.scenario/x.json",
        "file:///tmp/x.json",
    ],
)
@pytest.mark.parametrize("words", [APPLY, PLAN, ["state", "list"], ["validate"]])
def test_a_manifest_cannot_put_its_state_outside_of_its_folder(
    state: str, words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error stands where `state:` does, and names --state."""
    (home / "out").symlink_to(home.parent / "mine")
    (home / "link.json").symlink_to(home.parent / "mine" / "bashrc")
    (home / "dangling").symlink_to(home.parent / "mine" / "gone")
    (home / "scenario.yaml").write_text(f"{MANIFEST}state: {state}\n")
    before = contents(home.parent / "mine")
    err = said(words, capsys)
    assert "outside-root" in err
    assert "scenario.yaml:6:8" in err
    assert contents(home.parent / "mine") == before
    assert not (home.parent / "x.json").exists()


def test_the_command_line_may_put_the_state_elsewhere_whatever_the_manifest_says(home: Path) -> None:
    (home / "scenario.yaml").write_text(f"{MANIFEST}state: ../x.json\n")
    for place in ("../states/x.json", str(home.parent / "absolute" / "x.json"), "deep/down/x.json"):
        assert __main__.main([*APPLY, "--no-wait", "--state", place]) == 0
        assert json.loads((home / place).read_text())["serial"]
        assert (home / place).with_name(".gitignore").exists()


def test_a_state_named_on_the_command_line_goes_through_no_link_of_the_repository(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link outside of it is the user's own."""
    (home / "out").symlink_to(home.parent / "mine")
    assert "out is a link" in said([*APPLY, "--state", "out/x.json"], capsys)
    assert "out is a link" in said(["state", "list", "--state", "out/x.json"], capsys)
    (home.parent / "mylink").symlink_to(home.parent / "mine")
    assert __main__.main([*APPLY, "--no-wait", "--state", "../mylink/x.json"]) == 0
    assert (home.parent / "mine" / "x.json").exists()


def test_a_link_above_the_current_folder_but_in_the_checkout_is_not_followed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".git").mkdir()
    (home / "deep").mkdir()
    for name in ("kael", "scenario.yaml"):
        shutil.move(home / name, home / "deep")
    (home / "out").symlink_to(home.parent / "mine")
    monkeypatch.chdir(home / "deep")
    for words in (
        [*PLAN, "--out"],
        [*APPLY, "--events"],
        [*APPLY, "--state"],
        ["init", "--type", "flux.1-lora", "--out"],
    ):
        said([*words, "../out/x.json"], capsys)
    assert not (home.parent / "mine" / "x.json").exists()


@pytest.mark.parametrize("words", [PLAN, [*PLAN, "manifests"], ["validate", "manifests/scenario.yaml"]])
def test_a_manifest_folder_that_leads_out_of_the_checkout_is_not_written_to(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a checkout or not: the link came with the folder."""
    shutil.move(home / "scenario.yaml", home.parent / "mine")
    shutil.move(home / "kael", home.parent / "mine")
    (home / "manifests").symlink_to(home.parent / "mine")
    (home / ".git").mkdir()
    assert "leads outside of the Git checkout" in said(words, capsys)
    assert not (home.parent / "mine" / ".scenario").exists()
    (home / ".git").rmdir()
    if words[-1] != "manifests/scenario.yaml":
        assert "leads outside" in said(words, capsys)


@pytest.mark.parametrize("words", [[*PLAN, "--out"], [*APPLY, "--events"], ["init", "kael", "--out"]])
@pytest.mark.parametrize("target", ["bashrc", "gone", "empty", "parts"])
def test_an_output_goes_through_no_link_of_the_repository(
    words: list[str], target: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.parent / "mine" / "empty").touch()
    link = home / "link"
    link.symlink_to(home.parent / "mine" / target)
    if target == "parts":
        shutil.copytree(home / "kael", home.parent / "mine" / "parts" / "kael")
        words = ["init", "link/kael", "--out"] if words[0] == "init" else words
    before = contents(home.parent / "mine")
    name = "link/x.json" if target == "parts" else "link"
    assert "link" in said([*words, name], capsys)
    assert contents(home.parent / "mine") == before
    assert link.is_symlink()


@pytest.mark.parametrize("words", [[*PLAN, "--out"], [*APPLY, "--events"]])
def test_a_link_elsewhere_that_leads_nowhere_is_refused(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = home.parent / "link"
    link.symlink_to(home.parent / "mine" / "gone")
    err = said([*words, str(link)], capsys)
    assert "gone, which is not there" in err
    assert f"delete the link {link}" in err


def test_a_plan_may_go_to_a_device_a_pipe_and_the_streams(home: Path) -> None:
    """Nothing is renamed over them."""

    def plan(out: str, **streams: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scenario_apply", *PLAN, "--out", out]
        return subprocess.run(command, text=True, check=False, timeout=60, capture_output=True, **streams)  # type: ignore[call-overload, no-any-return]

    assert plan("/dev/null").returncode == 0
    assert not os.path.isfile("/dev/null")
    done = plan("/dev/stdout")
    assert done.returncode == 0, done.stderr
    assert json.JSONDecoder().raw_decode(done.stdout)[0]["summary"]["create"] == 1
    assert "saved" not in done.stderr
    os.mkfifo(home / "pipe")
    reader = subprocess.Popen(["cat", str(home / "pipe")], stdout=subprocess.PIPE, text=True)
    assert plan("pipe").returncode == 0
    assert json.loads(reader.communicate(timeout=60)[0])["summary"]["create"] == 1


def test_the_cache_and_the_emulator_of_a_folder_are_ignored_by_git(home: Path) -> None:
    """An existing .gitignore stays; one line for all that is in .scenario/."""
    assert __main__.main(PLAN) == 0
    assert "*" in (home / ".scenario" / ".gitignore").read_text().split("\n")
    shutil.rmtree(home / ".scenario")
    assert __main__.main([*APPLY, "--no-wait"]) == 0
    assert "*" in (home / ".scenario" / ".gitignore").read_text().split("\n")
    assert "*.lock" in (home / "state" / ".gitignore").read_text().split("\n")
    (home / ".scenario" / ".gitignore").write_text("mine\n")
    (home / "kael" / "01_dusk_portrait.txt").write_text("another caption")
    assert __main__.main([*APPLY, "--no-wait"]) == 0
    assert (home / ".scenario" / ".gitignore").read_text() == "mine\n"


@contextmanager
def stored_cache(path: Path) -> Iterator[sqlite3.Connection]:
    """The database in a cache file, which is written back."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.deserialize(path.read_bytes())
        yield database
        path.write_bytes(database.serialize())


FOREIGN = [
    "UPDATE origin SET format = 999",
    "UPDATE datasets SET checksum = 'x'",
    "UPDATE datasets SET record = 7",
    "CREATE TABLE more (x)",
    "CREATE TRIGGER t AFTER INSERT ON datasets BEGIN DELETE FROM datasets; END",
    "DROP TABLE datasets; CREATE VIEW datasets AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    " SELECT x AS id, x AS record, x AS checksum, x AS contents FROM n",
]


@pytest.mark.parametrize("script", FOREIGN)
def test_a_cache_of_another_kind_is_an_empty_one(script: str, home: Path) -> None:
    """Of another version, with other tables, or with a view that never ends; the inode in it fits."""
    assert __main__.main(PLAN) == 0
    cache = home / ".scenario" / "cache"
    with stored_cache(cache) as database:
        database.executescript(script)
    assert Cache(str(cache)).like("kael") is None
    assert __main__.main(PLAN) == 0
    assert Cache(str(cache)).like("kael") is not None


@pytest.mark.parametrize("record", [[1], ["a"], {"a": 1}, [None] * 10, "dataset", ["k"] * 10])
def test_a_cache_with_records_of_another_kind_is_an_empty_one(record: object, home: Path) -> None:
    """Their checksum fits and their types do not."""
    assert __main__.main(PLAN) == 0
    cache = home / ".scenario" / "cache"
    packed = msgspec.msgpack.encode(record)
    with stored_cache(cache) as database:
        database.execute("UPDATE datasets SET record = ?, checksum = ?", (packed, crc32(packed)))
    assert Cache(str(cache)).like("kael") is None
    assert __main__.main(PLAN) == 0


def test_a_cache_that_was_copied_is_an_empty_one(home: Path) -> None:
    """One that came with a checkout says what somebody else wants to be believed."""
    assert __main__.main(PLAN) == 0
    cache = home / ".scenario" / "cache"
    assert Cache(str(cache)).like("kael") is not None
    shutil.copy2(cache, home / "copy")
    os.replace(home / "copy", cache)
    assert Cache(str(cache)).like("kael") is None
