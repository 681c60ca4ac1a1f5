"""Command lines: what is understood, what is refused, and with which exit code. Nothing here asks a service."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply import __main__
from scenario_apply.cli.command_table import MODULES, SUMMARIES
from scenario_apply.cli.commands.completion import SHELLS
from scenario_apply.cli.main import load, parser_of
from scenario_apply.version import VERSION
from tests.fakes.installed_tool import install_tool

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURES = REPOSITORY / "manifests" / "quickstart" / "kael"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, no credentials, no colour settings of the machine."""
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_KEY", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "SCENARIO_BASE_URL", "SCENARIO_APPLY_DEBUG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One flux.1-lora over eight pictures."""
    shutil.copytree(PICTURES, tmp_path / "kael")
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "version: 1\n"
        "datasets:\n  kael: { images: ./kael, trigger: KAEL_07 }\n"
        "models:\n  kael: { type: flux.1-lora, dataset: kael, parameters: { maxTrainSteps: 750 } }\n"
    )
    return path


def run(*words: str) -> int:
    return __main__.main(list(words))


def test_the_version_is_the_one_of_pyproject(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"scenario-apply {VERSION}\n"
    assert f'version = "{VERSION}"' in (REPOSITORY / "pyproject.toml").read_text()


def test_version_and_help_import_nothing_heavy() -> None:
    """Neither the libraries nor, for --version, argparse, json, re or importlib.metadata."""
    heavy = {"requests", "yaml", "jsonschema", "jsonschema_rs", "jinja2", "rich", "PIL", "orjson", "sqlite3"}
    heavy |= {"msgspec", "uvicorn"}
    light = heavy | {"argparse", "json", "importlib.metadata", "dataclasses"}
    for words, forbidden in (
        (["--version"], light | {"re"}),
        (["--help"], light | {"re"}),
        (["plan", "--help"], heavy),
    ):
        code = (
            "import sys; before = set(sys.modules)\n"
            f"from scenario_apply.__main__ import main; main({words!r})\n"
            f"print(sorted((set(sys.modules) - before) & {forbidden!r}), file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
        assert done.stderr.strip() == "[]"


def test_a_plan_on_a_file_imports_nothing_of_stores_and_fleets() -> None:
    """Nor the library that sends requests, when none is sent."""
    code = (
        "import sys; from scenario_apply.__main__ import main\n"
        "main(['plan', 'manifests/quickstart', '--no-refresh', '--state', 'no-such-folder/state.json'])\n"
        "ours = ('scenario_apply.fleet', 'scenario_apply.state.stores.remote')\n"
        "heavy = ('requests', 'psycopg', 'obstore', 'distributed', 'dask', 'cryptography')\n"
        "print([m for m in sys.modules if m.startswith(ours) or m in heavy], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert "3 create" in done.stdout
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in MODULES)
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("name", list(MODULES))
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*name.split(), "--help") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: scenario-apply {name}")
    assert "example:\n  " in out


@pytest.mark.parametrize("name", list(MODULES))
def test_the_examples_of_every_command_are_command_lines_it_understands(name: str) -> None:
    command = load(name)
    lines = [line.strip() for line in command.EXAMPLES.strip().splitlines()]
    assert lines
    for line in lines:
        for part in line.replace("<(", "&& ").replace("$(", "&& ").replace("|", "&&").split("&&"):
            words = shlex.split(part.replace(")", "").replace('"', "").split(">")[0])
            while words and ("=" in words[0] or words[0] in ("source", "eval")):
                words.pop(0)
            if words[:1] != ["scenario-apply"]:
                continue
            other = next(
                n for n in sorted(MODULES, key=len, reverse=True) if words[1 : 1 + len(n.split())] == n.split()
            )
            parser_of(other, load(other)).read(words[1 + len(other.split()) :])


def test_summaries_are_short() -> None:
    assert all(len(summary) < 80 for summary in SUMMARIES.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plna"], "did you mean plan?"),
        (["stat", "list"], "did you mean"),
        (["state"], "state needs one of: list, show, mv, rm"),
        (["state", "lst"], "did you mean list?"),
        (["plan", "--fromat", "json"], "did you mean --format?"),
        (["plan", "--format", "jsn"], "did you mean json?"),
        (["plan", "--format", "yaml"], "'yaml' is not one of text, json"),
        (["plan", "--var", "x"], "'x' is not NAME=VALUE"),
        (["plan", "--limit", "costs=3"], "did you mean cost?"),
        (["plan", "--limit", "deletes=1.5"], "deletes takes a whole number"),
        (["plan", "--limit", "changes_percent=101"], "at most 100"),
        (["plan", "--rate-limit", "-1"], "'-1' is not a whole number of at least 0"),
        (["apply", "--timeout", "soon"], "'soon' is not a number of seconds"),
        (["plan", "a", "b"], "unexpected argument 'b'"),
        (["dataset", "show"], "DATASET"),
        (["--local", "plan"], "is given before any command"),
        (["plan", "--replace", "kael", "--no-refresh"], "is no address"),
        (["completion", "ksh"], "not one of bash, zsh, fish"),
        (["emulator", "--port", "99999"], "--port must be within"),
        (["emulator", "--port", "abc"], "error[usage]: --port: invalid int value: 'abc'\n"),
        (["emulator", "--latency", "x"], "--latency: invalid float value: 'x'"),
        (["emulator", "--plan", "fre"], "--plan: 'fre' is not one of"),
        (["apply", "--rate-limit"], "error[usage]: --rate-limit: expected one argument\n"),
        (["plan", "--local=yes"], "--local: ignored explicit argument 'yes'"),
        (["state", "mv"], "error[usage]: the following arguments are required: FROM, TO\n"),
    ],
)
def test_wrong_usage_is_64_with_a_guess(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 64
    streams = capsys.readouterr()
    assert said in streams.err
    assert streams.out == ""
    assert "Traceback" not in streams.err


def test_no_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 64
    assert "Plan and apply" in capsys.readouterr().err


def test_flags_may_stand_before_the_command(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q", "--no-color", "validate") == 0


def test_no_manifest_at_all_is_said_with_a_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--no-refresh") in (1, 64)
    err = capsys.readouterr().err
    assert "scenario.yaml" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"], ["status"], ["destroy", "--auto-approve"]])
def test_no_credentials_is_an_error_that_names_them_and_local(
    command: list[str], manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command) == 1
    err = capsys.readouterr().err
    assert "SCENARIO_SDK_API_KEY" in err
    assert "SCENARIO_SDK_API_SECRET" in err
    assert "--local" in err


def test_a_half_of_the_credentials_names_the_other(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENARIO_API_KEY", "key_of_ours")
    assert run("plan") == 1
    err = capsys.readouterr().err
    assert "SCENARIO_SDK_API_SECRET is not set" in err
    assert "key_of_ours" not in err


def test_an_offline_plan_needs_no_credentials_and_writes_no_state(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "--no-refresh") == 0
    out = capsys.readouterr().out
    assert "+ model.kael will be created and trained" in out
    assert out.splitlines()[-3].startswith("Plan: 1 create, 0 update, 0 replace, 0 delete, 0 unchanged.")
    assert not (manifest.parent / "state").exists()


def test_detailed_exit_codes_of_a_plan(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--no-refresh", "--detailed-exitcode") == 2
    assert run("plan", "--no-refresh", "--detailed-exitcode", "--limit", "changes_percent=0") in (2, 6)
    assert run("plan", "--refresh-only", "--no-refresh", "--detailed-exitcode") == 64


def test_a_plan_as_json_is_one_document_on_stdout(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--no-refresh", "--format", "json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["format_version"] == "1.0"
    assert plan["summary"]["create"] == 1
    assert plan["applyable"] is True


def test_a_saved_plan_is_private_and_whole(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--no-refresh", "--out", "my.plan.json") == 0
    saved = manifest.parent / "my.plan.json"
    assert saved.stat().st_mode & 0o077 == 0
    assert json.loads(saved.read_text())["inputs"]["pictures"]["kael"]


def test_a_saved_plan_takes_no_other_wishes(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--no-refresh", "--out", "my.plan.json", "--local") == 0
    assert run("apply", "my.plan.json", "--local", "--auto-approve", "--select", "model.kael") == 64
    assert "cannot be combined with a saved plan" in capsys.readouterr().err


def test_a_plan_for_the_embedded_scenario_is_not_applied_elsewhere(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "--no-refresh", "--out", "my.plan.json", "--local") == 0
    assert run("apply", "my.plan.json", "--auto-approve", "--detailed-exitcode") == 5
    assert run("apply", "my.plan.json", "--auto-approve") == 1
    assert "--local" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format_version": "2.0"}', "has format 2.0"),
        ('{"format_version": "1.0", "lineage": "x", "serial": 1}', "is a state, not a plan"),
        ('{"format_version": ', "is damaged"),
    ],
)
def test_a_file_that_is_no_plan_of_ours_is_refused(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text(content)
    assert run("apply", "bad.json", "--auto-approve") == 1
    assert said in capsys.readouterr().err


def test_validate_says_all_is_well(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate") == 0
    assert "is valid: 1 model, 0 compositions, 1 dataset with 8 images." in capsys.readouterr().out


def test_validate_shows_every_problem_placed(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest.write_text("version: 1\nmodels:\n  kael: { type: flux.1-lor, dataset: kale }\n")
    assert run("validate") == 1
    err = capsys.readouterr().err
    assert "scenario.yaml:3" in err
    assert "hint" in err


def test_validate_as_json(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("validate", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
    (manifest.parent / "kael" / "01_dusk_portrait.jpg").write_bytes(b"no picture")
    assert run("validate", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["valid"] is False
    assert report["error_count"] >= 1
    assert {"severity", "code", "message", "file", "line", "column"} <= set(report["diagnostics"][0])


def test_config_is_yaml_that_reads_back_the_same(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config") == 0
    first = capsys.readouterr().out
    manifest.write_text(first)
    assert run("config") == 0
    assert capsys.readouterr().out == first
    assert run("config", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["models"]["kael"]["type"] == "flux.1-lora"


def test_dataset_show_prints_final_captions(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dataset", "show", "kael") == 0
    out = capsys.readouterr().out
    assert '"KAEL_07, front portrait' in out
    assert out.splitlines()[-1].startswith("kael: 8 images, sha256:")
    assert "sidecar: 8 images with captions in .txt files" in " ".join(out.split())
    assert run("dataset", "show", "dataset.kael", "--format", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["images"]) == 8
    assert shown["images"][0]["caption"].startswith("KAEL_07")
    assert (shown["convention"]["code"], shown["convention"]["sources"][0]["file"]) == ("sidecar", ".txt")


def test_dataset_show_of_an_unknown_name_guesses(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dataset", "show", "kale") == 64
    assert "did you mean kael?" in capsys.readouterr().err


def test_apply_without_a_terminal_or_consent_refuses(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And does so as a ledger, too, for those who read events."""
    assert run("apply", "--local", "--events", "events.jsonl") == 1
    assert "--auto-approve" in capsys.readouterr().err
    last = json.loads((manifest.parent / "events.jsonl").read_text().splitlines()[-1])
    assert last["type"] == "ledger"
    assert last["ledger"]["status"] == "stopped"


def test_init_writes_a_manifest_once_and_it_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(PICTURES, tmp_path / "my hero")
    assert run("init", "my hero", "--trigger", "KAEL_07") == 0
    assert "scenario.yaml: 1 model (my-hero) with 8 images" in capsys.readouterr().out
    assert run("validate") == 0
    before = (tmp_path / "scenario.yaml").read_text()
    assert run("init", "my hero") == 1
    assert "already exists" in capsys.readouterr().err
    assert (tmp_path / "scenario.yaml").read_text() == before


def test_init_from_a_folder_elsewhere_puts_the_manifest_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PICTURES, tmp_path / "set")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("init", str(tmp_path / "set")) == 0
    assert (tmp_path / "set" / "scenario.yaml").exists()
    assert run("validate", str(tmp_path / "set" / "scenario.yaml")) == 0


@pytest.mark.parametrize(
    ("words", "code"), [(["init", "nowhere"], 64), (["init", "."], 1), (["init", ".", "--type", "flux-lora"], 64)]
)
def test_init_refuses_what_it_cannot_use(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["flux.1-kontext-lora", "qwen-image-edit-lora"])
def test_init_says_that_a_type_is_trained_on_pairs(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", ".", "--type", kind) == 64
    assert "trained on pairs" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_options_and_values(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", shell) == 0
    out = capsys.readouterr().out
    for word in ("apply", "force-unlock", "detailed-exitcode", "jsonl"):
        assert word in out
    assert "%(" not in out
    if shutil.which(shell) and shell in ("bash", "zsh", "fish"):
        flag = "--no-execute" if shell == "fish" else "-n"
        subprocess.run([shell, flag], input=out, text=True, check=True)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("scenario-apply pl", ["plan"]),
        ("scenario-apply state m", ["merge", "migrate", "mv"]),
        ("scenario-apply state mv --lo", ["--local", "--lock-timeout"]),
        ("scenario-apply state mv model.", ["model.deep", "model.kael", "model.late", "model.new"]),
        ("scenario-apply plan --adopt model.n", ["model.new="]),
        ("scenario-apply plan --train model.n", ["model.new"]),
        ("scenario-apply plan --var ", ["rank="]),
        ("scenario-apply explain plan-s", ["plan-stale"]),
        ("scenario-apply plan --format j", ["json"]),
        ("scenario-apply plan --select model.l", ["model.late"]),
        ("scenario-apply apply --no-w", ["--no-wait"]),
        ("scenario-apply apply --limit c", ["changes_percent=", "cost="]),
        ("scenario-apply init --type sd", ["sd-xl-lora"]),
        ("scenario-apply dataset show ", ["hero"]),
        ("scenario-apply completion z", ["zsh"]),
    ],
)
def test_bash_completes(line: str, offered: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Words from states and manifests, too; a shell expands them, so only plain ones are offered."""
    assert run("completion", "bash") == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "a.json").write_text(json.dumps({"resources": {"model.kael": {}, "model.$(touch x)": {}}}))
    (tmp_path / "state" / "b.json").write_text(json.dumps({"resources": {"model.late": {}}}))
    (tmp_path / "state" / "c.json").write_text("[")
    (tmp_path / "below" / "state").mkdir(parents=True)
    (tmp_path / "below" / "state" / "d.json").write_text(json.dumps({"resources": {"model.deep": {}}}))
    (tmp_path / "scenario.yaml").write_text(
        "version: 1\nvariables: { rank: 4 }\ndatasets: { hero: { images: . } }\n"
        "models: { new: { type: flux.1-lora, dataset: hero } }\n"
    )
    program = tmp_path / "bin" / "scenario-apply"
    install_tool(program, "-m", "scenario_apply")
    words = line.split(" ")
    last = "" if words[-1] else "''"
    ask = (
        f"PATH={shlex.quote(str(program.parent))}:$PATH; source {shlex.quote(str(script))}; "
        f"COMP_WORDS=({line} {last}); COMP_CWORD={len(words) - 1}; "
        '_shtab_scenario_apply; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert sorted(done.stdout.split()) == offered
    assert not (tmp_path / "x").exists()


def test_an_internal_error_is_one_line_and_debug_says_more(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key_1")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "s3cr3t-of-ours")

    def broken(*args: object, **more: object) -> None:
        raise RuntimeError("broke while holding s3cr3t-of-ours")

    monkeypatch.setattr("scenario_apply.cli.wiring.open_manifest", broken)
    assert run("config") == 1
    err = capsys.readouterr().err
    assert "internal error: RuntimeError: broke while holding ***" in err
    assert "Traceback" not in err
    assert "--debug" in err
    assert run("config", "--debug") == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "s3cr3t" not in err
