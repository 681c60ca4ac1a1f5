"""An apply puts pictures in the place of their Git LFS pointers, or says what to run, before anything is made."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.invocation import Invocation
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from tests.apply.git_lfs.checkouts import LfsCheckout, keep_object, lfs_checkout, needs_git_lfs, pictures
from tests.test_request_counts import sent

NAMES = ("art/01.jpg", "art/02, cape [a].jpg", "art/03.jpg")
MANIFEST = """\
version: 1
models:
  kael: { type: flux.1-lora, dataset: { images: ./art, caption: "KAEL_07, a ranger" } }
  props: { type: flux.1-lora, dataset: { images: ./props, caption: "a prop" } }
"""
WORDS = ("--select=model.kael", "--rate-limit=0")
APPLY = ("apply", "--auto-approve", "--poll-interval=0.02", *WORDS)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with EmulatorThread(manual_options(clock="real", training_s=0.05, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "our-key-41")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "our-secret-42")
        monkeypatch.delenv("SCENARIO_PROJECT_ID", raising=False)
        yield emulator


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: EmulatorThread) -> LfsCheckout:
    """Three pictures of model.kael and one of model.props, all of them pointers."""
    made = lfs_checkout(tmp_path)
    for name, data in zip((*NAMES, "props/p.jpg"), pictures(4), strict=True):
        made.add(name, data)
    (made.top / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(made.top)
    return made


def left(checkout: LfsCheckout) -> list[str]:
    return [name for name in (*NAMES, "props/p.jpg") if checkout.is_pointer(name)]


def only_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with git and without git-lfs."""
    (folder / "bin").mkdir()
    (folder / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(folder / "bin"))


def test_a_plan_needs_no_pictures(checkout: LfsCheckout, capsys: pytest.CaptureFixture[str]) -> None:
    """It names those that an apply pulls; what exists on the service needs none."""
    assert main(["plan", "--detailed-exitcode", "--format=json", *WORDS]) == 2
    plan = json.loads(capsys.readouterr().out)
    assert plan["requests"]["by_step"]["upload"] == 3
    said = [problem for problem in plan["diagnostics"] if problem["code"] == "lfs-pointer"]
    assert [(problem["severity"], problem["file"]) for problem in said] == [("warning", name) for name in NAMES]
    assert not {"F01", "F02", "R01", "R03"} & {problem["code"] for problem in plan["diagnostics"]}
    assert "git lfs pull '--include=/art/01.jpg,/art/02??cape?\\[a\\].jpg,/art/03.jpg'" in said[-1]["hint"]
    assert len(left(checkout)) == 4
    assert main(["dataset", "show", "kael"]) == 0
    assert "  not pulled  " in capsys.readouterr().out
    assert main(["dataset", "show", "kael", "--format=json"]) == 0
    assert {image["width"] for image in json.loads(capsys.readouterr().out)["images"]} == {None}


@needs_git_lfs
def test_an_apply_pulls_what_it_uploads_and_nothing_else(checkout: LfsCheckout, service: EmulatorThread) -> None:
    assert main([*APPLY]) == 0
    assert left(checkout) == ["props/p.jpg"]
    assert sent(service)["upload or attach"] == 3
    assert sorted(path.name for path in (checkout.top / "art").iterdir()) == sorted(Path(name).name for name in NAMES)
    service.clear_requests()
    checkout.add(NAMES[0], pictures(1)[0])
    assert main([*APPLY]) == 0
    assert not sent(service)
    assert left(checkout) == [NAMES[0], "props/p.jpg"]


def test_nothing_is_pulled_outside_of_the_folder_of_the_manifest(
    checkout: LfsCheckout, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the manifest may read there, and the checkout around both has the picture: nothing is written."""
    for data in pictures(3):
        keep_object(checkout.git / "lfs", data)
    (checkout.top / "below").mkdir()
    manifest = checkout.top / "below" / "scenario.yaml"
    manifest.write_text(MANIFEST.replace("./art,", "../art, allow_outside_root: true,").replace("./props", "../props"))
    words = ["--allow-outside-root", str(manifest), *WORDS]
    text = manifest.read_text().replace("../props,", "../props, allow_outside_root: true,")
    manifest.write_text(text)
    assert main(["plan", *words]) == 0
    assert main(["apply", "--auto-approve", "--lfs-pull", *words]) == 1
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "put the picture itself in its place: it lies outside the manifest's folder" in text
    assert len(left(checkout)) == 4
    assert not sent(service)


@needs_git_lfs
def test_a_saved_plan_that_was_made_on_pointers_is_applied(checkout: LfsCheckout, tmp_path: Path) -> None:
    plan = tmp_path / "tonight.json"
    assert main(["plan", f"--out={plan}", *WORDS]) == 0
    assert main(["apply", str(plan), "--auto-approve", "--rate-limit=0", "--poll-interval=0.02"]) == 0
    assert left(checkout) == ["props/p.jpg"]


def test_the_own_store_of_the_checkout_needs_no_program(checkout: LfsCheckout, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in pictures(3):
        keep_object(checkout.git / "lfs", data)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SCENARIO_APPLY_LFS_PULL", "0")
    assert main([*APPLY]) == 0
    assert left(checkout) == ["props/p.jpg"]


@pytest.mark.parametrize(("variable", "why"), [("", "git-lfs is not installed"), ("0", "SCENARIO_APPLY_LFS_PULL=0")])
def test_without_git_lfs_or_consent_the_command_is_said_and_nothing_is_made(
    variable: str,
    why: str,
    checkout: LfsCheckout,
    service: EmulatorThread,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only_git(tmp_path, monkeypatch)
    monkeypatch.setenv("SCENARIO_APPLY_LFS_PULL", variable)
    assert main([*APPLY]) == 1
    said = capsys.readouterr().err
    assert "error[lfs-pointer]" in said
    assert why in said
    assert "git lfs pull '--include=/art/01.jpg,/art/02??cape?\\[a\\].jpg,/art/03.jpg'" in said
    assert not sent(service)
    assert len(left(checkout)) == 4


@needs_git_lfs
def test_the_command_that_is_said_pulls_them(checkout: LfsCheckout, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else: run by git itself, in a shell, from a folder of the checkout."""
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (["add", "-f", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "filter.lfs.clean=cat", "-c", "filter.lfs.process=", *words], check=True)
    assert main(["plan", "--format=json", *WORDS]) == 0
    hint = json.loads(capsys.readouterr().out)["diagnostics"][-1]["hint"]
    command = hint.partition("`")[2].rstrip("`")
    subprocess.run(["sh", "-c", command], cwd=checkout.top / "art", check=True, capture_output=True)
    assert left(checkout) == ["props/p.jpg"]


@needs_git_lfs
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_pulled_picture_is_checked_before_anything_is_made(
    is_whole: bool, checkout: LfsCheckout, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its digest by git-lfs and by us, its pixels by the same rules as those of every other picture."""
    data = pictures(5)[4][:-900]
    checkout.add(NAMES[0], data)
    if not is_whole:
        keep_object(checkout.remote / "lfs", data[:-1] + b"x", sha256(data).hexdigest())
    assert main([*APPLY]) == 1
    said = capsys.readouterr().err
    assert ("F02" if is_whole else "error[lfs-pointer]") in said
    assert not sent(service)
    assert checkout.is_pointer(NAMES[0]) is not is_whole


def test_what_is_in_the_own_store_under_a_wrong_name_is_not_taken(
    checkout: LfsCheckout, service: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = pictures(3)
    keep_object(checkout.git / "lfs", first[:-1] + b"x", sha256(first).hexdigest())
    keep_object(checkout.git / "lfs", second + b"x", sha256(second).hexdigest())
    elsewhere = checkout.top.parent / "secret"
    elsewhere.write_bytes(third)
    link = keep_object(checkout.git / "lfs", b"", sha256(third).hexdigest())
    link.unlink()
    link.symlink_to(elsewhere)
    monkeypatch.setenv("SCENARIO_APPLY_LFS_PULL", "0")
    assert main([*APPLY]) == 1
    assert len(left(checkout)) == 4
    assert not sent(service)
    assert sorted(path.name for path in (checkout.top / "art").iterdir()) == sorted(Path(name).name for name in NAMES)


@needs_git_lfs
def test_no_program_of_the_checkout_runs(checkout: LfsCheckout, tmp_path: Path) -> None:
    """Its configuration, hooks, filters, attributes and helpers take no part in the download."""
    mark = tmp_path / "ran"
    evil = f"sh -c 'env >>{mark}'"
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.gitProxy", "core.askPass", "credential.helper"),
        *("filter.lfs.smudge", "filter.lfs.process", "filter.lfs.clean", "alias.lfs", "lfs.extension.x.smudge"),
        "remote.origin.uploadpack",
    ):
        checkout.configure(key, evil)
    checkout.configure("lfs.customtransfer.x.path", "sh")
    checkout.configure("lfs.customtransfer.x.args", f"-c 'env >>{mark}'")
    checkout.configure("lfs.standalonetransferagent", "x")
    checkout.configure("lfs.extension.x.clean", evil)
    checkout.configure("include.path", str(checkout.git / "more"))
    checkout.configure("core.fsmonitor", evil, ".git/more")
    checkout.configure("core.hooksPath", str(checkout.git / "hooks"))
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        path = checkout.git / "hooks" / hook
        path.write_text(f"#!/bin/sh\nenv >>'{mark}'\n")
        path.chmod(0o755)
    for name in ("git", "git-lfs", "sh", "ssh"):
        path = checkout.top / name
        path.write_text(f"#!/bin/sh\nenv >>'{mark}'\n")
        path.chmod(0o755)
    (checkout.top / ".gitattributes").write_text("* filter=lfs\n")
    assert main([*APPLY, "--lfs-pull"]) == 0
    assert left(checkout) == ["props/p.jpg"]
    assert not mark.exists()


def test_the_programs_get_no_credentials(
    checkout: LfsCheckout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ours nor others of the environment, with the caller's access to Git or without."""
    for number, more in enumerate(((), ("--lfs-pull",))):
        mark, folder = tmp_path / f"env{number}", tmp_path / f"bin{number}"
        folder.mkdir()
        (folder / "git").write_text(f"#!/bin/sh\n/usr/bin/env >>'{mark}'\nexit 1\n")
        (folder / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f".:{folder}::{checkout.top}")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "our-secret-43")
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
        assert main([*APPLY, *more]) == 1
        given = mark.read_text()
        assert "our-" not in given
        assert "HTTPS_PROXY=http://proxy" in given
        assert f"PATH={folder}:{checkout.top}\n" in given


@needs_git_lfs
def test_an_address_that_a_pull_request_can_change_needs_consent(
    checkout: LfsCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`.lfsconfig` is a file of the repository; the configuration in .git is not."""
    checkout.configure("lfs.url", f"file://{checkout.remote}", ".lfsconfig")
    checkout.configure("remote.origin.url", f"file://{tmp_path}/nowhere.git")
    assert main([*APPLY]) == 1
    assert "--lfs-pull is needed to contact" in capsys.readouterr().err
    assert main([*APPLY, "--lfs-pull"]) == 0


@needs_git_lfs
@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_before_anything_is_pulled(
    answer: bool, checkout: LfsCheckout, service: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def confirm(call: Invocation, question: str, hint: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(Invocation, "is_interactive", True)
    monkeypatch.setattr(Invocation, "confirm", confirm)
    words = [word for word in APPLY if word != "--auto-approve"]
    assert main(words) == (0 if answer else 1)
    assert asked[0].startswith("Pull 3 pictures (")
    assert asked[0].endswith(f"with Git LFS from file://{checkout.remote}?")
    assert len(left(checkout)) == (1 if answer else 4)
    assert answer or not sent(service)


@needs_git_lfs
def test_without_anybody_to_approve_the_plan_nothing_is_pulled(checkout: LfsCheckout, service: EmulatorThread) -> None:
    assert main(["apply", "--lfs-pull", *WORDS]) == 1
    assert len(left(checkout)) == 4
    assert not sent(service)


def test_a_picture_that_cannot_be_written_is_said_so(
    checkout: LfsCheckout,
    service: EmulatorThread,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder that nobody may write to: the pointer stays, nothing is left beside it, nothing is made."""

    def full(*words: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for data in pictures(3):
        keep_object(checkout.git / "lfs", data)
    monkeypatch.setattr(os, "rename", full)
    assert main([*APPLY]) == 1
    assert "the picture cannot be put in its place: No space left on device" in capsys.readouterr().err
    assert len(left(checkout)) == 4
    assert sorted(path.name for path in (checkout.top / "art").iterdir()) == sorted(Path(name).name for name in NAMES)
    assert not sent(service)
