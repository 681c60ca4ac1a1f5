"""What reaches a screen: hostile texts from everywhere, through every command; readable ones stay readable."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.api import transport
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.invocation import draw_error, draw_internal, read_call
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.errors import Diagnostic, Location, ScenarioApplyError
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.review.printable import json_text, json_without_commands, terminal_text, without_commands
from scenario_apply.review.screen import Screen, safe
from scenario_apply.review.yaml_text import yaml_text
from scenario_apply.state.state import HistoryEntry, ImageRecord, Record, State, Version
from scenario_apply.state.stores.file_store import FileStore

FORGED = "\nFORGED: Apply complete.\n"
HOSTILE = {
    "an escape sequence": "\x1b[2J\x1b[31mred\x1b[0m",
    "a title": "\x1b]0;pwned\x07",
    "a link": "\x1b]8;;https://evil.test\x1b\\text\x1b]8;;\x1b\\",
    "C1": "\x9b31m\x85\x90\x9d\x80\x9f",
    "backspaces": "good\x08\x08\x08\x08evil",
    "a carriage return": "good\revil",
    "DEL": "a\x7fb",
    "NUL": "a\x00b",
    "forged lines": FORGED,
    "line separators": "a\u2028FORGED\u2029FORGED\x0bFORGED\x0cFORGED",
    "bidi overrides": "\u202eevil\u202c\u202a\u202b\u202d",
    "bidi isolates": "\u2066a\u2067b\u2068c\u2069",
    "bidi marks": "a\u200eb\u200fc\u061cd",
    "zero width": "ad\u200bmin\u2060\ufeff\u00ad",
    "joiners in Latin": "ad\u200dm\u200cin",
    "tags": "a\U000e0041\U000e0042\U000e007f",
    "selectors": "a\ufe00\ufe01b\U000e0100\U000e01ef",
    "fillers": "a\u3164\u115f\u1160\uffa0\u034f\u17b4b",
    "interlinear": "a\ufff9b\ufffac\ufffb",
    "private use": "a\ue000\U000f0000",
}
HALF = "a\ud800b\udc9bc"
EVERYTHING = "".join(HOSTILE.values())
NOT_SHOWN = frozenset(c for c in EVERYTHING + HALF if unicodedata.category(c)[0] == "C" or not c.isprintable()) - {"\n"}
READABLE = (
    "Ärger, ça va, Ω, Ⅷ, 赤いマント, 　全角",
    "👩\u200d🎨 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 🏃🏽\u200d♀\ufe0f 1\ufe0f⃣ ©\ufe0f ☺\ufe0e",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f of Scotland",
    "e\u0301, n\u0303, a\u0323\u0302: marks",
    "שלום עולם, مرحبا بالعالم, می\u200cخواهم, ه\u200d",
    "क\u094d\u200dष, ന\u0d4d\u200d, ශ\u0dca\u200dරී, ক\u09cd\u200cষ",
    "葛\U000e0100城, 辻\ufe00",
)


def assert_clean(text: str) -> None:
    """Nothing of the hostile texts but what can be read, and no line of theirs."""
    assert not NOT_SHOWN & set(text), sorted(map(ascii, NOT_SHOWN & set(text)))
    assert not any(line.startswith("FORGED") for line in text.splitlines())


@pytest.mark.parametrize("text", [*HOSTILE.values(), HALF], ids=[*HOSTILE, "half a pair"])
def test_hostile_text_is_spelled_out(text: str) -> None:
    """On one line, in whole screens, in JSON and in YAML, which both say the same as before."""
    assert_clean(safe(text))
    assert safe(text).isascii()
    assert_clean(terminal_text(text.replace("\n", " "), color=False))
    document = json_text(json.dumps({text: text}, ensure_ascii=False))
    assert_clean(document)
    assert json.loads(document) == {text: text}
    written = yaml_text({"a": text, text: {"b": [text, "plain", f"two\n{text}"]}})
    assert_clean(written)
    if text != HALF:
        assert yaml.safe_load(written) == {"a": text, text: {"b": [text, "plain", f"two\n{text}"]}}


@pytest.mark.parametrize("text", READABLE)
def test_readable_text_stays_as_it_is(text: str) -> None:
    for shown in (safe(text), terminal_text(text, color=False), json_text(text), yaml_text({"a": text})):
        assert text in shown


@given(st.text(st.characters(), max_size=40))
def test_whatever_is_printed_can_be_printed(text: str) -> None:
    """Half a pair as well; JSON and YAML stay what they were."""
    assert terminal_text(safe(text), color=True) == safe(text)
    for shown in (safe(text), terminal_text(text, color=True)):
        assert not any(
            unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs", "Co") for c in shown.replace("\n", "").replace("\t", "")
        )
        assert not any(c in shown for c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
    assert json.loads(json_text(json.dumps(text, ensure_ascii=False))) == text


def test_our_own_colours_stay_and_no_others() -> None:
    painted = Screen(color=True).paint("text", "green", "bold")
    assert terminal_text(painted, color=True) == painted == "\x1b[32;1mtext\x1b[0m"
    assert terminal_text(painted, color=False) == "\\x1b[32;1mtext\\x1b[0m"
    for foreign in ("\x1b[8m", "\x1b[5m", "\x1b[7m", "\x1b[2J", "\x1b[1A", "\x1b[41m", "\x1b[38;5;1m"):
        assert "\x1b" not in terminal_text(foreign, color=True)


def test_errors_are_clean(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever part of a problem holds it: code, sentence, file, line, hint; and what nobody foresaw."""
    monkeypatch.setenv("SCENARIO_APPLY_DEBUG", "1")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    for evil in (EVERYTHING, HALF):
        place = Location(file=f"{evil}.yaml", line=1, column=3, text=f"a: {evil}")
        problem = Diagnostic(code=evil, message=evil, location=place, hint=evil)
        call = read_call(None, ["--debug"])
        draw_error(ScenarioApplyError(evil, problems=[problem]), call)
        draw_internal(ValueError(evil), call)
        draw_internal(OSError(2, evil, evil), call)
        call.tell(evil)
        call.say(evil)
        call.show(evil)
        err = capsys.readouterr()
        said = f"{err.out}{err.err}"
        assert not NOT_SHOWN & set(said)


# -- every command

KAEL = parse_address("model.kael")
MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael, suffix: %s, lint: { C10: off } }
models:
  kael: { name: %s, description: %s, type: flux.1-lora, dataset: kael, tags: [%s] }
"""


def recorded(evil: str) -> State:
    """A state whose every free text is hostile."""
    version = Version(
        number=1,
        id=ModelId("model_1"),
        phase="failed",
        name=evil,
        type="flux.1-lora",
        description=evil,
        tags=(evil,),
        parameters={"samplePrompts": [evil], evil: evil},
        images=(ImageRecord(f"{evil}.png", "ab", AssetId("asset_1"), evil),),
        reason=evil,
        launched_at=evil,
        ended_at=evil,
        created_at=evil,
    )
    entry = HistoryEntry(serial=1, at=evil, who=evil, command=evil, what=evil, manifest=evil, commit=evil)
    record = Record(current=version, previous=(version,))
    return State(lineage="x", serial=0, records={KAEL: record}, history=(entry,))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for number, name in enumerate(("01", "\x1b[31mred\u202e\u200b\n\nFORGED", "a\x9b\x7fb\u2028FORGED")):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(folder / "kael" / f"{name}.jpg")
        (folder / "kael" / f"{name}.txt").write_text(f"KAEL {EVERYTHING.replace(chr(0), '')}", encoding="utf-8")
    (folder / "kael" / "notes\x1b]0;t\x07.docx").write_text("x")
    quoted = json.dumps(EVERYTHING.replace("\x00", "")[:60])
    (folder / "scenario.yaml").write_text(MANIFEST % (quoted, quoted, quoted, quoted), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SCENARIO_APPLY_ENV", raising=False)
    return folder


LOOKS = (
    "validate",
    "validate -v --format json",
    "config",
    "config --format json",
    "dataset show kael -v",
    "dataset show kael --format json",
    "plan --no-refresh -v",
    "plan --no-refresh",
    "plan --no-refresh --format json",
    "plan --no-refresh --destroy -v",
    "status --no-refresh",
    "status --no-refresh --format json",
    "output",
    "output --format json",
    "output --format yaml",
    "output --format env",
    "state list",
    "state list -v",
    "state show model.kael",
    "state show model.kael -v",
    "state show model.kael --format json",
    "state history",
    "state history --format json",
    "state pull",
    "rollback --lift model.kael",
    "state mv model.kael model.other",
    "state rm model.other",
)


def test_every_look_at_hostile_texts_is_clean(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, captions, names of files, state, history: in text, JSON and YAML."""
    store = FileStore(
        str(home / "state" / "scenario.json"), endpoint=None, project=None, tool_version="1", clock=SystemClock()
    )
    with store.locked("test", 0):
        store.load()
        store.save(recorded(EVERYTHING))
    for line in LOOKS:
        main(line.split())
        said = capsys.readouterr()
        assert said.out + said.err, line
        assert_clean(said.out)
        assert_clean(said.err)
        if "json" in line or line == "state pull":
            json.loads(said.out)


def test_the_holder_of_a_lock_is_printed_clean(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who holds it stands in a file of the repository's folder."""
    (home / "state").mkdir()
    holder = dict.fromkeys(("who", "host", "since", "command"), EVERYTHING) | {"pid": 1}
    (home / "state" / "scenario.lock").write_text(json.dumps(holder))
    main(["force-unlock"])
    said = capsys.readouterr()
    assert "FORGED" in said.out
    assert_clean(said.out + said.err)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: \x1b[31m", "validate"),
        ("version: 1\nmodels: { \"\\e[31m\\u202e\": { type: \"\\e[2J\" } }\n", "validate"),
        ("version: 1\nmodels: { a: { type: flux.1-lora, dataset: \"./\\e[31m\", x\u202ey: 1 } }\n", "validate -v"),
        ("version: 1\ninclude: [\"\\e[31m.yaml\"]\n", "plan --no-refresh"),
        ("version: 1\nmodels: { a: { type: flux.1-lora, dataset: \"{{ env['\\e[31m'] }}\" } }\n", "config"),
        ("version: 1\nmodels: { a: { type: flux.1-lora, dataset: \"{{ '\\e[31m' + 1 }}\" } }\n", "config"),
        ("{\"format_version\": \"\\u001b[31m\", \"changes\": [], \"steps\": []}", "apply scenario.yaml"),
    ],
)  # fmt: skip
def test_what_quotes_a_bad_file_is_clean(
    home: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    (home / "scenario.yaml").write_text(content, encoding="utf-8")
    assert main(words.split()) != 0
    said = capsys.readouterr()
    assert said.err
    assert_clean(said.out + said.err)


@pytest.fixture
def service(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key_of_the_project")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret_of_the_project")
    with EmulatorThread(manual_options(clock="real", training_s=0.2, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        yield emulator


def test_what_the_service_says_is_printed_clean(
    service: EmulatorThread, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal, and names and images of a model, in progress lines, ledger, events, status and the next plan."""
    read = transport._content

    def hostile(response: Any) -> bytes:
        content = read(response)
        if response.url.endswith("/train"):
            response.status_code = 400
            return json.dumps({"reason": EVERYTHING}).encode()
        if response.request.method == "GET" or response.url.endswith("get-bulk"):
            return content.replace(b'"name":"', b'"name":' + json.dumps(EVERYTHING)[:-1].encode())
        return content

    monkeypatch.setattr(transport, "_content", hostile)
    for line in (
        "apply --auto-approve -v --events events.jsonl",
        "apply --auto-approve --format jsonl",
        "plan -v",
        "plan --format json",
        "plan --refresh-only",
        "status",
        "status --format json",
        "state history",
        "destroy --auto-approve -v",
    ):
        main(line.split())
        said = capsys.readouterr()
        assert_clean(said.out)
        assert_clean(said.err)
    assert_clean((home / "events.jsonl").read_text(encoding="utf-8"))


def test_a_run_on_a_terminal_is_clean() -> None:
    """The live view of rich: what scrolls by, the bars, the footer."""
    from scenario_apply.apply.events import StepFailed, Throttled
    from scenario_apply.cli.progress.live_view import ProgressView
    from tests.cli import runs
    from tests.fakes.clock import FakeClock

    stream = io.StringIO()
    clock = FakeClock()
    view = ProgressView(stream, clock, Screen(width=100), counter=None, rate_limit=100)
    for event in (
        StepFailed(step=runs.COMPOSE, error=EVERYTHING, skipped=3),
        Throttled(seconds=12, reason=EVERYTHING),
        runs.moved("training", EVERYTHING, 0.1, left=540),
    ):
        view(event)
    view.close()
    assert_clean(stream.getvalue())


@pytest.mark.parametrize(
    "text", ["::error::x", "  \t::set-output name=a::b", "\x1b[31m::stop-commands::x", "a\n::b::c"]
)
def test_no_line_of_a_log_is_a_command_of_github(text: str) -> None:
    """The runner skips what is blank at the start of a line. Further on in a line, two colons mean nothing."""
    shown = without_commands(text)
    assert not any(re.sub(r"\x1b\[\d+m", "", line).lstrip().startswith("::") for line in shown.splitlines())
    assert shown.replace("\\x3a", ":") == text
    assert without_commands("std::string ::x") == "std::string ::x"


def test_old_commands_are_broken_wherever_they_stand_and_json_says_the_same() -> None:
    text = "a ##[add-mask]e ##vso[task.setvariable variable=a]b ## heading"
    assert without_commands(text) == "a \\x23#[add-mask]e \\x23#vso[task.setvariable variable=a]b ## heading"
    document = json_without_commands(json.dumps([text]))
    assert "##[" not in document
    assert json.loads(document) == [text]
