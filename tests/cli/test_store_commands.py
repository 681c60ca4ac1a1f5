"""Every command on a state in a store does what it does on a state in a file, and names the store by its URL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.model import codec
from scenario_apply.model.address import Address
from scenario_apply.state.state import HistoryEntry, State
from scenario_apply.state.state_file import file_of
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import StoredState
from tests.cli.memory_stores import MemoryStores, memory_stores
from tests.state.stores.states import AT, one

URL = "s3://bucket/team/kael.json"
ENTRY = HistoryEntry(serial=3, at=AT, who="jane@a", command="scenario-apply apply", what="create model.kael")
MANIFEST = """\
version: 1
datasets: { kael: ./kael }
models: { kael: { type: flux.1-lora, dataset: kael } }
"""


def document(state: State) -> bytes:
    whole = replace(state, lineage="l-1", serial=3, endpoint="local", history=(ENTRY,))
    return codec.document(file_of(whole, tool_version="1"))


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryStores:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    return memory_stores(monkeypatch)


def outcome(words: list[str], place: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, with PLACE for the state's place and AT for times."""
    code = main([*words, "--state", place, "--no-color"])
    printed = capsys.readouterr()
    texts = [re.sub(r"20\d\d-\d\d-\d\dT[\d:]+Z", "AT", text.replace(place, "PLACE")) for text in printed]
    return code, texts[0], texts[1]


@pytest.mark.parametrize(
    "words",
    [
        "state list",
        "state list --format json",
        "state show model.kael",
        "state show model.hero",
        "state history",
        "state history --format json",
        "state pull",
        "state mv model.kael model.hero",
        "state rm model.kael",
        "state push same.json",
        "state push newer.json",
        "state push other.json",
        "state push other.json --force",
        "state merge newer.json more.json",
        "output",
        "output --format env",
        "force-unlock",
    ],
)
@pytest.mark.parametrize("is_empty", [False, True], ids=["recorded", "empty"])
def test_a_command_on_a_store_does_what_it_does_on_a_file(
    words: str, is_empty: bool, stores: MemoryStores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code, output and what is recorded afterwards are the same; every connection is closed."""
    held = document(one())
    newer = replace(one(2), lineage="l-1", serial=4, endpoint="local", history=(ENTRY,))
    more = newer.with_record(Address("model", "more"), one(id="model_2").records[Address("model", "kael")])
    files = {"same": held, "newer": codec.document(file_of(newer, tool_version="1"))}
    files["more"] = codec.document(file_of(replace(more, serial=5), tool_version="1"))
    files["other"] = files["newer"].replace(b'"l-1"', b'"l-2"')
    for name, content in files.items():
        Path(f"{name}.json").write_bytes(content)
    path = tmp_path / "state" / "kael.json"
    path.parent.mkdir()
    if not is_empty:
        path.write_bytes(held)
        stores.buckets[URL].state = StoredState(held, "v0")
    of_file = outcome(words.split(), str(path), capsys)
    of_store = outcome(words.split(), URL, capsys)
    assert of_store[:2] == of_file[:2]
    if is_empty:  # a file that is not there is said to be missing
        assert bool(of_store[2]) == bool(of_file[2])
    else:
        assert of_store[2] == of_file[2]
    written = path.read_bytes() if path.exists() else None
    assert recorded(stores.document(URL)) == recorded(written)
    assert stores.closed == len(stores.asked) == 1
    assert not any("s3:" in found.name for found in tmp_path.rglob("*"))


def recorded(content: bytes | None) -> object:
    if content is None:
        return None
    plain = json.loads(content)
    lineage = plain["lineage"] if plain["serial"] > 1 else "new"
    return plain["serial"], lineage, plain["resources"], [entry["what"] for entry in plain.get("history", ())]


def test_states_in_stores_are_merged(stores: MemoryStores, capsys: pytest.CaptureFixture[str]) -> None:
    """The sides may be URLs, too; the present state takes part."""
    mine = replace(one(), lineage="l-1", serial=3, endpoint="local", history=(ENTRY,))
    more = mine.with_record(Address("model", "more"), one(id="model_2").records[Address("model", "kael")])
    stores.buckets[URL].state = StoredState(document(one()), "v0")
    theirs = codec.document(file_of(replace(more, serial=4), tool_version="1"))
    stores.buckets["gs://bucket/theirs.json"].state = StoredState(theirs, "v0")
    assert main(["state", "merge", URL, "gs://bucket/theirs.json", "--state", URL]) == 0
    assert "s3://bucket/team/kael.json now has serial" in capsys.readouterr().out
    assert set(json.loads(stores.document(URL) or b"")["resources"]) == {"model.kael", "model.more"}
    assert main(["state", "merge", "gs://bucket/none.json", URL]) == 64


def test_a_lease_is_named_and_broken(stores: MemoryStores, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = stores.buckets[URL]
    bucket.state = StoredState(document(one()), "v0")
    john = Holder(who="john", host="runner-2", pid=7, since=AT, command="scenario-apply apply")
    bucket.lease = ("t", john, bucket.clock.now() + 30)
    code, _, err = outcome(["state", "rm", "model.kael", "--detailed-exitcode"], URL, capsys)
    assert code == 64  # that command has no such option
    code, _, err = outcome(["state", "rm", "model.kael"], URL, capsys)
    assert code == 1
    assert "john on runner-2" in err
    code, out, err = outcome(["force-unlock"], URL, capsys)
    assert code == 0
    assert not bucket.is_leased
    assert "john on runner-2" in out
    assert "may still be going on" in err


def test_a_password_in_state_reaches_no_history_output_or_file(
    stores: MemoryStores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgres://kael:pa55w0rd@db.example/states/kael"
    shown = "postgres://db.example/states/kael"
    stores.buckets[shown].state = StoredState(document(one()), "v0")
    assert main(["state", "mv", "model.kael", "model.hero", "--state", url]) == 0
    assert main(["state", "pull", f"--state={url}"]) == 0
    assert main(["state", "show", "model.gone", f"--state={url}"]) == 1
    assert main(["state", "migrate", url, "kael.json"]) == 0
    assert main(["state", "migrate", "kael.json", url]) == 0
    assert main(["state", "list", "kael.yaml", url]) == 64
    assert main(["plan", url]) == 1
    printed = "".join(capsys.readouterr())
    assert "kael:***@db.example" in printed
    assert stores.asked[0].password == "pa55w0rd"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    written.append(stores.document(shown) or b"")
    assert "pa55w0rd" not in printed
    assert not any(b"pa55w0rd" in content for content in written)


# -- with a service


@pytest.fixture
def service(stores: MemoryStores, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    Path("kael").mkdir()
    Image.effect_noise((1024, 1024), 40).convert("RGB").save("kael/01.jpg")
    Path("kael/01.txt").write_text("KAEL")
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key_of_the_project")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret_of_the_project")
    with EmulatorThread(manual_options(clock="real", training_s=0.1, queue_s=0)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        yield emulator


APPLY = ("--auto-approve", "--poll-interval=0.05")


def test_a_manifest_with_a_state_in_a_store(
    service: EmulatorThread, stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    """Saved plans fit the store's lineage and serial; a plan of nothing reads one object; no state lies on the disk."""
    Path("kael.yaml").write_text(f"{MANIFEST}state: s3://bucket/team/\n")
    assert main(["plan", "kael.yaml", "--out", "p.json"]) == 0
    assert json.loads(Path("p.json").read_text())["state"] == {"lineage": None, "serial": 0, "store": URL}
    assert main(["apply", "p.json", *APPLY]) == 0
    assert main(["apply", "p.json", *APPLY, "--detailed-exitcode"]) == 5  # the serial has moved
    bucket = stores.buckets[URL]
    bucket.requests.clear()
    assert main(["plan", "kael.yaml", "--detailed-exitcode"]) == 0
    assert dict(bucket.requests) == {"read": 1}
    assert f", state in {URL}" in " ".join(capsys.readouterr().out.split())
    for words in ("status", "output", "graph", "report --out r.html", "state list", "config"):
        command = words.split()
        place = 2 if command[0] in ("state", "captions") else 1
        assert main([*command[:place], "kael.yaml", *command[place:]]) == 0, words
    assert main(["destroy", "kael.yaml", "--auto-approve"]) == 0
    assert json.loads(bucket.state.content if bucket.state else b"")["resources"] == {}
    assert not bucket.calls
    assert not Path("state").exists()
    assert stores.closed == len(stores.asked)
    capsys.readouterr()


def test_the_state_of_an_apply_with_a_url_is_remembered_and_a_file_beside_an_empty_store_is_named(
    service: EmulatorThread, stores: MemoryStores, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both would make and pay for everything again."""
    Path("kael.yaml").write_text(MANIFEST)
    url = "postgres://kael:pa55w0rd@db.example/states"
    assert main(["apply", "kael.yaml", "--state", url, *APPLY]) == 0
    printed = capsys.readouterr()
    assert "pa55w0rd" not in printed.out + printed.err + Path(".scenario/states").read_text()
    assert main(["plan", "kael.yaml"]) == 0
    told = capsys.readouterr()
    assert "--state postgres://kael@db.example/states/kael" in told.out + told.err
    assert main(["state", "migrate", url, "state/kael.json", "kael.yaml"]) == 0
    assert main(["plan", "kael.yaml", "--detailed-exitcode"]) == 0
    capsys.readouterr()
    assert main(["plan", "kael.yaml", "--state", URL]) == 0
    told = capsys.readouterr()
    assert "state-elsewhere" in told.out + told.err
    assert f"scenario-apply state migrate {Path('state/kael.json').absolute()} {URL}" in told.out + told.err
