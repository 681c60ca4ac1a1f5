"""The targets: each takes bytes to the reader that the tool uses, and lets pass what that reader raises on purpose.

A target ends with a value or a ScenarioApplyError. Anything else is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zlib import crc32

from scenario_apply.api.client import Client
from scenario_apply.api.exchange import Reply
from scenario_apply.apply.export.weights_content import ending_of_weights
from scenario_apply.apply.export.weights_record import RECORD_NAME, WeightsRecord
from scenario_apply.cli.saved_plans import read_saved_plan, saved_plan, settings_of_plan
from scenario_apply.cli.settings import Settings
from scenario_apply.dataset.captions.caption_text import caption_line, without_empty_tags
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.matching import Lookup, Raw, match_rows
from scenario_apply.dataset.captions.tables import caption_in_file, caption_rows, read_table
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.pair_tables import table_rows
from scenario_apply.dataset.scan.alter_pictures import altered_picture
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import DamagedPicture, NotDecoded, read_pixels, verify
from scenario_apply.dataset.scan.read_images import read_facts
from scenario_apply.emulator.grids import brightness_grid
from scenario_apply.emulator.pictures import NotAPicture, inspect
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.manifest.loader.archives import Archives
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.model.codec import Misfit
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.remote import AssetId, JobId, ModelId, UploadId
from scenario_apply.planning.plan_format import sealed
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, state_to_json
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.journal import replay, replayed
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.remote.http_document import closed, digest_of, opened
from scenario_apply.state.stores.remote.open_calls import lines_of_run, names_of_run
from tests.api.transports import Bench
from tests.fakes.clock import FakeClock

SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """run: takes the input, and an empty folder for files of its own. words: what belongs to the format."""

    name: str
    run: Callable[[bytes, Path], None]
    words: tuple[bytes, ...] = ()

    def seeds(self) -> dict[str, bytes]:
        """The seeds kept in the repository, by file name."""
        return {path.name: path.read_bytes() for path in sorted((SEEDS / self.name).iterdir())}


def _manifest(data: bytes, folder: Path) -> None:
    """Plain YAML, and a template of a whole file when the first line says so."""
    name = "scenario.yaml.j2" if data.startswith(b"#j2") else "scenario.yaml"
    (folder / name).write_bytes(data)
    with suppress(ScenarioApplyError):
        load_manifest(name, variables={"colour": "red"}, var_files=(), env={"HOME": "/"}, cwd=str(folder))


def _tables(data: bytes, folder: Path) -> None:
    """A table of captions and of pairs in every format, and a caption file."""
    images = tuple(FileEntry(name, f"set/{name}", 1, 1, 1) for name in ("a.png", "b.png", "sub/a.png", "é.jpg"))
    for encoding in ("utf-8", "cp1252"):
        text = decode(data, file="captions", encoding=encoding)
        if isinstance(text, Finding):
            continue
        without_empty_tags(caption_line(Raw(text), "join").text)
        for ending in ("csv", "tsv", "json", "jsonl", "yaml", "txt"):
            file = f"captions.{ending}"
            caption_in_file(text, file=file)
            table = read_table(text, file=file)
            rows, findings = caption_rows(table, file=file)
            match_rows(rows, Lookup(images), file=file, beside="set")
            table_rows(table.rows, file=file, beside="set")
            assert all(isinstance(finding, Finding) for finding in findings)


def _picture(data: bytes, folder: Path) -> None:
    """The plain scan, the look at pixels and the check before an upload; then the emulator's own reading."""
    (folder / "a.png").write_bytes(data)
    allowance = DecodingAllowance()
    facts = read_facts(DataGuard(str(folder)), FileEntry("a.png", "a.png", len(data), 1, 1), allowance)
    assert facts.fault or facts.is_lfs_pointer or (facts.width > 0 and facts.height > 0)
    with suppress(DamagedPicture, NotDecoded):
        read_pixels(data, allowance)
    with suppress(DamagedPicture):
        verify(data)
    with suppress(NotAPicture):
        inspect(data)
    brightness_grid(data)
    for recipe in ("strip", "orient", "icc;background=#ffffff;strip;convert=jpeg"):
        with suppress(DamagedPicture):
            altered_picture(data, recipe)


def _zip(data: bytes, folder: Path) -> None:
    """Every file of a zip as a dataset opens it: with the size that its list says, or not at all."""
    (folder / "a.zip").write_bytes(data)
    guard, archives, path = DataGuard(str(folder)), Archives(), str(folder / "a.zip")
    with suppress(OSError):
        for name, member in archives.read(path, guard).members.items():
            with suppress(OSError), open(archives.open(f"{path}/{name}", guard), "rb") as opened:
                assert len(opened.read()) == member.size
    for found in archives.walk(path, "", guard, depth=None):
        assert ".." not in found.within.split("/")


def _state(data: bytes, folder: Path) -> None:
    """A state file as every command reads it, and one that is pushed; what was read can be written again."""
    path = folder / "state.json"
    path.write_bytes(data)
    store = FileStore(str(path), endpoint=None, project=None, tool_version="0", clock=FakeClock())
    with suppress(ScenarioApplyError):
        loaded = store.load()
        json.dumps(state_to_json(loaded.state, tool_version="0"))
    with suppress(ScenarioApplyError):
        store.read_other(data, "pushed.json")
    digest_of(data)
    with suppress(ScenarioApplyError, Misfit):  # the same from an HTTP state server, with open calls
        found = opened(data, "a server")
        closed(found.state, found.calls, above=found.serial)


_ENDPOINT = "https://scenario.test/v1"  # of the seeds


def _plan(data: bytes, folder: Path) -> None:
    """A saved plan as apply reads it. Its seal is put right first, as whoever forges one would."""
    with suppress(ValueError, RecursionError):
        plain = json.loads(data)
        if isinstance(plain, dict):
            data = json.dumps(sealed(plain)).encode()
    (folder / "plan.json").write_bytes(data)
    (folder / "manifest.yaml").touch()
    with suppress(ScenarioApplyError):
        saved = read_saved_plan("plan.json", str(folder))
        if saved is not None:
            plan = saved_plan(saved, "plan.json")
            settings_of_plan(plan, Settings(manifest="plan.json", base_url=_ENDPOINT, cwd=str(folder)))


def _journal(data: bytes, folder: Path) -> None:
    """What a killed run left, here or as a record in a store, on top of an empty state."""
    path = folder / "state.journal"
    path.write_bytes(data)
    for applied in (None, JournalNote(run="run", lines=2)):
        with suppress(ScenarioApplyError):
            replay(str(path), State(), applied)
    numbered = enumerate((line for line in data.split(b"\n") if line), 1)
    record = b"".join(b'{"line":%d,"entry":%s}\n' % (number, line) for number, line in numbered)
    note = JournalNote(run="run", lines=2, open=("s1",))
    with suppress(ScenarioApplyError):
        names_of_run([("record", record)], "run", "a store")
        replayed("a store", lines_of_run([("record", record)], "run", "a store"), note, State(), "run")


def _weights(data: bytes, folder: Path) -> None:
    """weights.json of a folder, and the bytes of an exported file."""
    (folder / RECORD_NAME).write_bytes(data)
    with suppress(ScenarioApplyError), WeightsRecord(own_folder(str(folder))).opened():
        pass
    with suppress(ScenarioApplyError):
        ending_of_weights(BytesIO(data), len(data))
    with suppress(ScenarioApplyError):
        ending_of_weights(BytesIO(len(data).to_bytes(8, "little") + data), len(data) + 8)


_MODEL, _ASSET = ModelId("m1"), AssetId("a1")
_CALLS: tuple[Callable[[Client], object], ...] = (
    lambda client: client.get_model(_MODEL),
    lambda client: client.get_models([_MODEL], images=True),
    lambda client: client.list_models(),
    lambda client: client.get_job(JobId("j1")),
    lambda client: client.list_assets(),
    lambda client: client.get_upload(UploadId("u1")),
    lambda client: client.get_score(_MODEL),
    lambda client: client.quote_training(_MODEL, {}, 5),
    lambda client: client.create_model(name="n", type="flux.1-lora"),
    lambda client: client.update_model(_MODEL, name="n"),
    lambda client: client.add_image(_MODEL, name="n", mime="image/png", body=b"x"),
    lambda client: client.attach_assets(_MODEL, [_ASSET]),
    lambda client: client.upload_asset(name="n", body=b"x"),
    lambda client: client.create_upload(file_name="n", mime="image/png", size_bytes=1, parts=1),
    lambda client: client.complete_upload(UploadId("u1")),
    lambda client: client.train(_MODEL, {}),
    lambda client: client.delete_model(_MODEL),
)


_REFUSALS = (400, 403, 404, 409, 429, 500)


def _answers(data: bytes, folder: Path) -> None:
    """The same answer to every call, as a success and as one kind of refusal."""
    for status in (200, 269, _REFUSALS[crc32(data) % len(_REFUSALS)]):
        reply = Reply(status=status, headers={"content-type": "application/json"}, content=data)
        for call in _CALLS:
            with suppress(ScenarioApplyError):
                call(Bench([reply]).client)


_YAML_WORDS = (
    b"- ", b": ", b"\n", b"\n  ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"<<: ", b"!!python/x ", b"|\n", b">-\n", b"'",
    b'"', b"# ", b"---\n", b"null", b"~", b"1e400", b".inf", b"0x1F", b"2024-01-01", b"\t", b"\xc2\xa0", b"\0", b"\xff",
    b"{{ ", b" }}", b"{% ", b" %}", b"{{ stem }}", b"{{ trigger }}", b"version: 1\n", b"models:", b"datasets:",
    b"include: ", b"extends: ", b"matrix: ", b"moved: ", b"variables: ", b"defaults: ", b"lifecycle: ", b"parameters: ",
)  # fmt: skip
_TABLE_WORDS = (*_YAML_WORDS[:20], b"file_name", b"text", b"caption", b"tags", b",", b";", b'""', b"\r\n", b"\\ud83d")
_PICTURE_WORDS = (
    b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"\xff\xc2", b"\xff\xe1\0\x10Exif\0\0", b"\xff\xff",
    b"IDAT", b"IEND", b"\0\0\0\0IDAT\x35\xaf\x06\x1e", b"PLTE", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"RIFF", b"WEBP",
    b"VP8X", b"VP8L", b"VP8 ", b"ANIM", b"ANMF", b"EXIF", b"II*\0", b"MM\0*", b"GIF89a", b"BM",
    b"ftypavif", b"ispe", b"meta",
)  # fmt: skip
_ZIP_WORDS = (
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"../",
    b"/",
    b".zip",
    b"\x01\0",
    b"\xff\xff\xff\xff",
)
_JSON_WORDS = (b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"1e999", b"-", b"NaN", b"\\ud83d", b"\xff", b"\n")

TARGETS = {
    target.name: target
    for target in (
        Target(name="manifest", run=_manifest, words=_YAML_WORDS),
        Target(name="tables", run=_tables, words=_TABLE_WORDS),
        Target(name="picture", run=_picture, words=_PICTURE_WORDS),
        Target(name="zip", run=_zip, words=_ZIP_WORDS),
        Target(name="state", run=_state, words=_JSON_WORDS),
        Target(name="plan", run=_plan, words=_JSON_WORDS),
        Target(name="journal", run=_journal, words=_JSON_WORDS),
        Target(name="weights", run=_weights, words=_JSON_WORDS),
        Target(name="answers", run=_answers, words=_JSON_WORDS),
    )
}
