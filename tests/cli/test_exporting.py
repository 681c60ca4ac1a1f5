"""import and export on the embedded Scenario, which checks every request against the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from scenario_apply.cli.main import run
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.emulator.cdn import asset_url
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.emulator.world import World
from tests.cli.exported_projects import WebApp, files_in, web_app

CAPTIONS = {"01.png": "KAEL_07, a ranger at dusk", "02.png": "KAEL_07, a ranger in snow", "03.png": "KAEL_07, aiming"}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebApp]:
    monkeypatch.chdir(tmp_path)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        yield web_app(running)


def plan(manifest: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    """The summary of a plan, and what it costs."""
    capsys.readouterr()
    run(["plan", manifest, "--format", "json", *options])
    document = json.loads(capsys.readouterr().out)
    summary = {action: number for action, number in document["summary"].items() if number and action != "none"}
    return summary | {"requests": document["requests"]["total"], "steps": len(document["steps"])}


NOTHING = {"requests": 0, "steps": 0}


def test_an_adopted_model_needs_nothing(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One model becomes a tidy manifest, pictures, captions and a state; a plan is empty, from another folder, too."""
    parameters = {"learningRate": 2e-4, "nbEpochs": 12, "rank": 16}
    model_id, _ = app.model("Kael", CAPTIONS, parameters=parameters, description="Hood", tags=["hero"])
    assert run(["import", "model.kael", model_id]) == 0
    assert files_in(tmp_path).keys() == {
        "scenario.yaml",
        *(f"kael/0{n}.{e}" for n in (1, 2, 3) for e in ("png", "txt")),
    }
    assert (tmp_path / "kael" / "01.txt").read_text() == "a ranger at dusk\n"
    written = (tmp_path / "scenario.yaml").read_text()
    assert "    trigger: KAEL_07\n" in written
    assert "    parameters:\n      learningRate: 0.0002\n      nbEpochs: 12\n" in written
    assert "rank" not in written  # the service's default
    assert plan("scenario.yaml", capsys) == NOTHING
    assert plan("scenario.yaml", capsys, "--no-refresh") == NOTHING
    (tmp_path / "elsewhere").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "elsewhere")
        assert plan("../scenario.yaml", capsys) == NOTHING
    record = json.loads((tmp_path / "state" / "scenario.json").read_text())
    assert "fingerprint" in json.dumps(record)
    (tmp_path / "kael" / "01.txt").write_text("a ranger at dawn\n")
    assert plan("scenario.yaml", capsys)["replace"] == 1


def test_a_manifest_is_only_added_to(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line that was there stays, comments included; a second import of the same model is refused by its name."""
    first, _ = app.model("Kael", CAPTIONS)
    second, _ = app.model("Mira", {"01.png": "a smith", "02.png": "a smith at work"})
    assert run(["import", "model.kael", first]) == 0
    manifest = tmp_path / "scenario.yaml"
    before = "# ours\n" + manifest.read_text().replace("models:\n", "models:   # two of them\n")
    manifest.write_text(before)
    assert run(["import", "model.mira", second]) == 0
    after = manifest.read_text().splitlines()
    left = iter(after)
    assert all(line in left for line in before.splitlines())
    assert len(after) > len(before.splitlines())
    assert plan("scenario.yaml", capsys) == NOTHING
    assert run(["import", "model.other", second]) == 1
    assert "import-recorded" in capsys.readouterr().err
    assert run(["import", "model.kael", app.model("Third", CAPTIONS)[0]]) == 1
    assert "import-taken" in capsys.readouterr().err
    assert manifest.read_text().splitlines() == after


def test_an_exported_project_is_taken_over(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Models that share pictures share a dataset; pairs, own captions and compositions come along; nothing is trained.

    The export writes no state, its import: blocks make the first plan an adoption, and an import records it.
    """
    kael, _ = app.model("Kael", CAPTIONS)
    app.model("Own captions", dict.fromkeys(("1.png", "2.png"), None))
    sides = dict.fromkeys(("a.png", "b.png", "c.png", "d.png"), None)
    edit = "flux.2-klein-9b-edit-lora"
    app.model("Red", sides, type=edit, pairs=[(0, 1, "make it red"), (2, 3, "make it red")])
    app.model("Two", sides, type=edit, pairs=[(0, 1, "make it red"), (2, 3, "make it blue")])
    app.model("Draft", {"1.png": "a draft"}, trained=False)
    app.composition("Mixed", (kael, 0.5), (app.model("Ink", CAPTIONS)[0], 0.25))
    app.emulator.clear_requests()
    assert run(["export", "out"]) == 0
    sent = [request.path for request in app.emulator.requests if not request.path.startswith("/cdn/")]
    assert sent == ["/v1/models", "/v1/models/get-bulk"]
    assert not (tmp_path / "out" / "state").exists()
    files = files_in(tmp_path / "out")
    assert {"red/before/b.png", "red/after/b.png", "two/after/b.txt", "draft/1.txt"} <= files.keys()
    assert "own-captions/1.txt" not in files
    assert files["two/after/d.txt"] == b"make it blue\n"
    assert "instruction: make it red\n" in (tmp_path / "out" / "scenario.yaml").read_text()
    assert plan("out", capsys) == NOTHING | {"import": 7}
    assert run(["export", "out", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["already"], again["resources"], again["pictures"]["downloaded"]) == (7, [], 0)
    assert files_in(tmp_path / "out") == files
    assert run(["import", "--all", "out"]) == 0
    capsys.readouterr()
    assert run(["status", "out", "--cost"]) == 0
    assert "No training is recorded" in capsys.readouterr().out, "what was trained elsewhere is no cost of this state"
    assert plan("out", capsys) == NOTHING
    assert files_in(tmp_path / "out") == files


def test_texts_of_the_service_are_texts(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names never leave the folder or meet, templates in them are not evaluated, and no plan would pay for them."""
    names = ["../../up.png", "nul.png", "a\u0301.png", "\u00e1.png", "A.png", "a.png", "", ".hidden.png", "c:\\d.png"]
    captions = [
        "{{ 7*7 }} {% raw %}",
        "</details> @team |",
        "one\ntwo lines",
        "x: y # z",
        "a '\"",
        " , lead,, ",
        "@ me",
    ]
    captions += ["- a", "! b"]
    model_id, _ = app.model(
        "{{ env.HOME }}/../x", list(zip(names, captions, strict=True)), description="it's {{ x }}", tags=["{{ y }}"]
    )
    app.model(
        "{{ env.HOME }}/../X", {"metadata.png": "[trigger] one", "README.png": "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> c"}
    )
    assert run(["import", "--all", "out", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["why"].partition(";")[0] for one in said["not_exported"]] == ["a manifest cannot say all of it"]
    files = files_in(tmp_path)
    assert all(name.startswith("out/") for name in files)
    assert len({name.casefold() for name in files}) == len(files)
    assert sum(name.endswith(".png") for name in files) == len(names) + 2
    capsys.readouterr()
    assert run(["config", "out"]) == 0
    shown = capsys.readouterr().out
    assert any(text == b"{{ 7*7 }} {% raw %}\n" for text in files.values())
    assert "{{ env.HOME }}/../x" in shown
    assert plan("out", capsys) == NOTHING
    assert model_id in (tmp_path / "out" / "state" / "out.json").read_text()


def lead_elsewhere(monkeypatch: pytest.MonkeyPatch, urls: Mapping[str, str]) -> None:
    """Lets the service name other addresses for the bytes of some assets; /... is on the service itself."""

    def address(world: World, origin: str, asset: str) -> str:
        url = urls.get(asset, asset_url(world, origin, asset))
        return origin + url if url.startswith("/") else url

    for module in ("model_view", "asset_view"):
        monkeypatch.setattr(f"scenario_apply.emulator.{module}.asset_url", address)


def test_what_cannot_be_exported_is_named(
    app: WebApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no picture, or lies where nothing is read from, is named; the rest is exported, and nothing is paid."""
    _, assets = app.model("Kael", {**CAPTIONS, "04.png": "KAEL_07, asleep", "05.png": "KAEL_07, awake"})
    app.model("Whole", {"01.png": "one thing", "02.png": "another thing"})
    app.emulator.seed({"models": [{"name": "Made elsewhere"}]})
    urls = [
        "/?signature=s3cret",
        "/cdn/assets/x?signature=s3cret",
        "http://10.1.2.3/a?signature=s3cret",
        "ftp://x/s3cret",
    ]
    lead_elsewhere(monkeypatch, dict(zip(assets, urls, strict=False)))
    assert run(["export", "out", "--format", "json", "--debug", "-v"]) == 1
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    whys = {one["what"].partition(" (")[0]: one["why"] for one in said["not_exported"]}
    assert whys.keys() == {"Made elsewhere", *(f"kael: 0{n}.png" for n in (1, 2, 3, 4))}
    assert "a web page" in whys["kael: 01.png"]
    assert "status 403" in whys["kael: 02.png"]
    assert "not public" in whys["kael: 03.png"]
    assert whys["kael: 04.png"] == "the service has no bytes of it"
    assert [name for name in files_in(tmp_path / "out") if "kael" in name] == ["kael/05.png", "kael/05.txt"]
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert b"s3cret" not in b"".join([*texts, shown.out.encode(), shown.err.encode()])
    assert b"signature" not in b"".join(texts)
    assert plan("out", capsys) == NOTHING | {"import": 2}
    assert run(["import", "model.x", "model_public_storybook_watercolor"]) == 1
    assert "import-foreign" in capsys.readouterr().err


def test_an_interrupted_export_is_continued(
    app: WebApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier run downloaded is not downloaded again, what it left half is taken away, a changed file stays."""
    app.model("Kael", {f"{n}.png": f"a ranger, picture {n}" for n in range(8)})
    fetch, seen = WebReader.fetch, []

    def dies(self: WebReader, url: str, tag: str, out: object, most: int) -> None:
        seen.append(url)
        if len(seen) > 4:
            raise KeyboardInterrupt
        fetch(self, url, tag, out, most)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(WebReader, "fetch", dies)
    assert run(["export", "out", "--parallelism", "1"]) == 130
    assert not (tmp_path / "out" / "scenario.yaml").exists()
    monkeypatch.setattr(WebReader, "fetch", fetch)
    there = [name for name in files_in(tmp_path / "out") if name.endswith(".png")]
    assert len(there) == 4
    (tmp_path / "out" / there[0]).write_bytes(b"a person's own")
    (tmp_path / "out" / "kael" / "7.png.0123456789abcdef.tmp").write_bytes(b"half")
    (tmp_path / "out" / "scenario.yaml.0123456789abcdef.tmp").write_bytes(b"half")
    capsys.readouterr()
    assert run(["export", "out", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["pictures"]["kept"], said["pictures"]["downloaded"]) == (3, 4)
    assert said["not_exported"][0]["why"].endswith("exists with another content, and is not overwritten")
    assert (tmp_path / "out" / there[0]).read_bytes() == b"a person's own"
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_a_block_without_a_declaration_writes_it(
    app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan names the block; import --blocks writes the part of the manifest that it lacks, and records it."""
    model_id, _ = app.model("Kael", CAPTIONS)
    block = f"version: 1\nimport:\n  - {{ to: model.hero, id: {model_id} }}   # from the web app\n"
    (tmp_path / "scenario.yaml").write_text(block)
    run(["plan"])
    assert "import-undeclared" in capsys.readouterr().out
    assert run(["import", "--blocks"]) == 0
    written = (tmp_path / "scenario.yaml").read_text()
    assert written.startswith(block)
    assert "  hero:\n    name: Kael\n" in written
    assert plan("scenario.yaml", capsys) == NOTHING


def test_a_folder_of_a_person_is_not_used(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pictures get a folder of their own, and nothing of another folder is read or changed."""
    model_id, _ = app.model("Kael", CAPTIONS)
    (tmp_path / "kael").mkdir()
    (tmp_path / "kael" / "01.png").write_bytes(b"mine")
    assert run(["import", "model.kael", model_id]) == 0
    assert files_in(tmp_path / "kael") == {"01.png": b"mine"}
    assert "images: ./kael-2\n" in (tmp_path / "scenario.yaml").read_text()
    assert plan("scenario.yaml", capsys) == NOTHING


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import"], "name an address and a model"),
        (["import", "--all", "--blocks"], "cannot be combined"),
        (["import", "model.a", "id", "--select", "x"], "need --all"),
        (["import", "dataset.a", "id"], "cannot be imported"),
        (["import", "model.a", "../id"], "is no id"),
        (["export", "x.yaml.j2"], "is a template"),
    ],
)
def test_wrong_usage_is_said(app: WebApp, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked of the service."""
    assert run(words) == 64
    assert said in capsys.readouterr().err
    assert app.emulator.requests == ()
