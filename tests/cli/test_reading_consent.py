"""What the command reads of a repository and of the machine it runs on, and what the caller has to consent to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.emulator.thread import EmulatorThread, manual_options

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MODEL = "models:\n  kael: { type: flux.1-lora, dataset: kael, parameters: { maxTrainSteps: 750 } }\n"
OUTSIDE = "version: 1\ndatasets:\n  kael: { images: ../kael, trigger: KAEL_07, allow_outside_root: true }\n" + MODEL
SMALLEST_PICTURE = 10_000
SECRET = "aws_secret_access_key: hunter2\n"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A repository beside the files of a machine; nothing of this machine's settings."""
    for name in [name for name in os.environ if name.startswith("SCENARIO_")]:
        monkeypatch.delenv(name)
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    (tmp_path / "home" / ".aws" / "credentials.yaml").write_text(SECRET)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / ".git" / "config.yaml").write_text(SECRET)
    (tmp_path / "repo" / ".env").write_text(SECRET)
    (tmp_path / "repo" / ".env.yaml").write_text(SECRET)
    monkeypatch.chdir(tmp_path / "repo")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A manifest whose dataset lies beside its folder, and says so."""
    shutil.copytree(PICTURES, tmp_path / "kael")
    path = tmp_path / "repo" / "scenario.yaml"
    path.write_text(OUTSIDE)
    return path


COMMANDS = [
    ["validate"],
    ["plan", "--no-refresh"],
    ["dataset", "show", "kael"],
    ["apply", "--local", "--auto-approve", "--no-wait"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_manifest_does_not_grant_itself_the_files_of_the_machine(
    outside: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused at the path without the caller's word, which is an option or a variable."""
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "outside-root" in said
    assert "scenario.yaml:3:19" in said
    assert "--allow-outside-root" in said
    assert said.count("outside-root]") <= 1


@pytest.mark.parametrize("words", COMMANDS[:3], ids=lambda words: words[0])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_with_the_callers_consent_it_is_read(
    outside: Path, words: list[str], way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if way == "variable":
        monkeypatch.setenv("SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT", "1")
    assert main([*words, *(["--allow-outside-root"] if way == "option" else [])]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("value", ["", "0", "no", "true", "2"])
def test_only_1_is_consent(outside: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that may mean either is none."""
    monkeypatch.setenv("SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT", value)
    assert main(["validate"]) == 1


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with EmulatorThread(manual_options()) as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
        yield running


def test_what_was_consented_to_is_uploaded_and_rolled_back(
    outside: Path, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bytes are read once more when they are sent, under the same consent; also of a saved plan."""
    assert main(["plan", "--out", "p.json", "--allow-outside-root"]) == 0
    assert main(["apply", "p.json", "--auto-approve", "--no-wait"]) == 1
    assert "--allow-outside-root" in capsys.readouterr().err
    assert main(["apply", "p.json", "--auto-approve", "--no-wait", "--allow-outside-root"]) == 0
    assert sum(entry.body_bytes > SMALLEST_PICTURE for entry in service.requests) == 8
    assert main(["rollback", "model.kael", "--allow-outside-root"]) == 1
    said = capsys.readouterr().err
    assert "have errors" not in said
    assert main(["rollback", "model.kael"]) == 1
    assert "the images of kael have errors" in capsys.readouterr().err


def test_a_picture_swapped_between_plan_and_upload_is_not_sent(
    tmp_path: Path, service: EmulatorThread, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder becomes a link to one outside once the plan is approved: same names, same bytes."""
    from scenario_apply.apply import apply_plan as applying

    shutil.copytree(PICTURES, tmp_path / "repo" / "kael")
    (tmp_path / "repo" / "scenario.yaml").write_text("version: 1\ndatasets:\n  kael: { images: ./kael }\n" + MODEL)
    real = applying.reader

    def swapping(*given: object) -> object:
        shutil.move(tmp_path / "repo" / "kael", tmp_path / "home" / "kael")
        (tmp_path / "repo" / "kael").symlink_to(tmp_path / "home" / "kael")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(applying, "reader", swapping)
    assert main(["apply", "--auto-approve", "--no-wait"]) == 1
    assert "outside the manifest's folder" in "".join(capsys.readouterr())
    assert not any(entry.body_bytes > SMALLEST_PICTURE for entry in service.requests)


MANIFESTS = {
    "a hidden file": ("include: [.env]\n", None, "hidden-path"),
    "a hidden YAML file": ("include: [./.env.yaml]\n", None, "hidden-path"),
    "a hidden template": ("include: [.env.yaml.j2]\n", (".env.yaml.j2", None), "hidden-path"),
    "a file of a hidden folder": ("include: [sub/../.git/config.yaml]\n", None, "hidden-path"),
    "a link to a hidden file": ("include: [more.yaml]\n", ("more.yaml", ".git/config.yaml"), "hidden-path"),
    "a link to the machine": ("include: [more.yaml]\n", ("more.yaml", "../home/.aws/credentials.yaml"), "outside-root"),
    "a file of the machine": ("include: [../home/.aws/credentials.yaml]\n", None, "outside-root"),
    "an environment": ("include: [/proc/self/environ]\n", None, "outside-root"),
}


@pytest.mark.parametrize(("text", "file", "code"), MANIFESTS.values(), ids=MANIFESTS)
def test_no_include_reads_what_is_hidden_or_of_the_machine(
    text: str, file: tuple[str, str | None] | None, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named at the line of the include; nothing of the file is shown."""
    Path("scenario.yaml").write_text("version: 1\n" + text)
    if file is not None:
        name, target = file
        if target is None:
            Path(name).write_text("{{ 'hunter2' }}: [\n")
        else:
            Path(name).symlink_to(target)
    assert main(["config"]) == 1
    said = "".join(capsys.readouterr())
    assert code in said
    assert "scenario.yaml:2:11" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("scenario.yaml", "../home/.aws/credentials.yaml"),
        ("scenario.yaml", ".git/config.yaml"),
        ("manifests", "../home/.aws"),
        ("manifests", ".git"),
        ("manifests/a.yaml", "../../home/.aws/credentials.yaml"),
        ("manifests/a.yaml", "../.git/config.yaml"),
    ],
)
def test_a_manifest_that_is_a_link_out_of_its_folder_is_not_read(
    link: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`scenario-apply plan` in a checkout reads scenario.yaml or manifests/ without being told."""
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(target)
    assert main(["plan", "--no-refresh"]) == 1
    said = "".join(capsys.readouterr())
    assert "outside-root" in said or "hidden-path" in said
    assert "hunter2" not in said


def test_a_hidden_manifest_the_caller_names_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line is trusted: who writes the dot means it."""
    shutil.copytree(PICTURES, tmp_path / "repo" / ".ci" / "kael")
    for path in (Path(".ci/scenario.yaml"), Path(".ci/.scenario.yaml")):
        path.write_text("version: 1\ndatasets:\n  kael: { images: ./kael, trigger: KAEL_07 }\n" + MODEL)
        assert main(["validate", str(path)]) == 0, capsys.readouterr().err


def test_a_seed_of_the_emulator_is_no_link_out_of_the_folder(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("emulator-seed.json").symlink_to("../home/.aws/credentials.yaml")
    assert main(["plan", "--local", "--allow-outside-root"]) == 1
    assert "emulator-seed.json" in capsys.readouterr().err


def test_json_says_the_same(outside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--no-refresh", "--format", "json"]) == 1
    plan = json.loads(capsys.readouterr().out)
    assert [(d["code"], d["line"]) for d in plan["diagnostics"] if d["severity"] == "error"] == [("outside-root", 3)]


REMOTE = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: 'https://datasets.example/1.png' }\n"


@pytest.mark.parametrize("words", COMMANDS[:3], ids=lambda words: words[0])
def test_no_url_is_asked_without_the_callers_consent(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error stands at the URL, and names the option and the variable."""
    (tmp_path / "scenario.yaml").write_text(REMOTE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "remote-dataset" in said
    assert "scenario.yaml:3:" in said
    assert "--allow-remote" in said


@pytest.mark.parametrize("way", ["option", "1", "https://datasets.example/"])
def test_a_url_is_read_with_the_callers_consent(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here as far as the look-up of its host, which leads to an address that is never read."""
    (tmp_path / "scenario.yaml").write_text(REMOTE)
    monkeypatch.chdir(tmp_path)
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("169.254.169.254", 443))])
    if way != "option":
        monkeypatch.setenv("SCENARIO_APPLY_ALLOW_REMOTE", way)
    assert main(["validate", *(["--allow-remote"] if way == "option" else [])]) == 1
    assert "169.254.169.254, which is never read" in capsys.readouterr().err
