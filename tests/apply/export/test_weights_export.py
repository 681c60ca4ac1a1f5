"""apply.export.weights_export: each export is begun once, each file is downloaded once, and nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.apply.export.weights_choice import WeightsTarget, chosen_weights
from scenario_apply.apply.export.weights_export import WeightsExport, WeightsResult
from scenario_apply.apply.export.weights_record import BegunWeights, WeightsError, WeightsRecord
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import AnswerLost
from scenario_apply.model.address import Address
from scenario_apply.model.remote import JobId, JobPage, ModelId, RemoteEpoch
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.state.state import Record, State, Version
from scenario_apply.state.stores.own_files import own_folder
from tests.apply.export.file_server import FileServer, file_server
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

KAEL = Address("model", "kael")
HEAD = json.dumps({"a": {"dtype": "U8", "shape": [90000], "data_offsets": [0, 90000]}}).encode()
WEIGHTS = len(HEAD).to_bytes(8, "little") + HEAD + bytes(90000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with file_server(WEIGHTS) as served:
        yield served


class Bench:
    """A service with one trained model, and a folder. asked: prices that approval was asked for."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.folder = folder / "weights"
        self.server = server
        self.clock = FakeClock()
        self.api = FakeScenario(self.clock)
        self.api.generation.weights_at = server.url
        self.model = self.api.create_model(name="Kael", type="flux.1-lora").id
        self.api.models[self.model].status = "trained"
        self.asked: list[float] = []

    @property
    def version(self) -> Version:
        return Version(
            number=3,
            id=self.model,
            phase="trained",
            name="Kael",
            type="flux.1-lora",
            launched_at="2026-11-01T10:00:00Z",
        )

    def targets(self, *, epoch: str | None = None) -> list[WeightsTarget]:
        state = State(records={KAEL: Record(current=self.version)})
        targets, missing = chosen_weights(state, [], version=None, epoch=epoch)
        assert missing == []
        return targets

    def run(self, *, epoch: str | None = None, approve: Callable[[float], None] | None = None) -> WeightsResult:
        [result] = self.run_all(self.targets(epoch=epoch), approve)
        return result

    def run_all(
        self, targets: list[WeightsTarget], approve: Callable[[float], None] | None = None
    ) -> list[WeightsResult]:
        access = RemoteAccess(prefixes=(self.server.url.removesuffix("/file"),), allow_http=True)
        with WeightsRecord(own_folder(str(self.folder))).opened() as record:
            return WeightsExport(
                api=self.api,
                record=record,
                source=WebReader(access, is_signed=True),
                may_ask=lambda _: True,
                clock=self.clock,
                told=lambda *_: None,
                waiting=lambda *_: None,
                approved=lambda cu, _: (approve or self.asked.append)(cu),
            ).run(targets)

    @property
    def notes(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = json.loads((self.folder / "weights.json").read_text())
        return found

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def bench(tmp_path: Path, server: FileServer) -> Bench:
    return Bench(tmp_path, server)


class Killed(BaseException):
    """The process ends here."""


def test_a_file_and_its_record(bench: Bench) -> None:
    """And a second run asks for nothing."""
    result = bench.run()
    assert (result.status, bench.names()) == ("exported", ["kael-v3.safetensors", "weights.json"])
    assert (bench.folder / "kael-v3.safetensors").read_bytes() == WEIGHTS
    [row] = bench.notes["weights"]
    assert (row["address"], row["version"], row["model_id"], row["size"]) == (
        "model.kael",
        3,
        bench.model,
        len(WEIGHTS),
    )
    assert bench.server.url not in (bench.folder / "weights.json").read_text()
    calls, asked = len(bench.api.log), len(bench.server.asked)
    assert bench.run().status == "kept"
    assert (len(bench.api.log), len(bench.server.asked)) == (calls, asked)


def test_a_run_that_was_killed_before_the_answer_finds_its_export(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = bench.api.export_weights

    def killed(*args: object, **kwargs: object) -> JobId:
        export(*args, **kwargs)  # type: ignore[arg-type]  # as they were given
        raise Killed

    monkeypatch.setattr(bench.api, "export_weights", killed)
    with pytest.raises(Killed):
        bench.run()
    assert [row.get("job_id") for row in bench.notes["begun"]] == [None]
    monkeypatch.setattr(bench.api, "export_weights", export)
    assert bench.run().status == "exported"
    assert len(bench.api.exports) == 1


def test_a_lost_answer_is_found_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    export = bench.api.export_weights

    def lost(*args: object, **kwargs: object) -> JobId:
        export(*args, **kwargs)  # type: ignore[arg-type]  # as they were given
        raise AnswerLost("the connection broke")

    monkeypatch.setattr(bench.api, "export_weights", lost)
    assert bench.run().status == "exported"
    assert len(bench.api.exports) == 1


def test_a_lost_answer_is_found_where_the_list_does_not_say_what_a_job_was_asked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the jobs that it may be are read; one of another epoch is none of them."""
    export, list_jobs = bench.api.export_weights, bench.api.list_jobs

    def lost(*args: object, **kwargs: object) -> JobId:
        export(bench.model, "9")
        export(*args, **kwargs)  # type: ignore[arg-type]  # as they were given
        export(bench.model, "7")
        raise AnswerLost("the connection broke")

    def bare(**asked: Any) -> JobPage:
        page = list_jobs(**asked)
        return replace(page, jobs=tuple(replace(job, input={}) for job in page.jobs))

    monkeypatch.setattr(bench.api, "export_weights", lost)
    monkeypatch.setattr(bench.api, "list_jobs", bare)
    bench.api.epochs[bench.model] = (RemoteEpoch(name="8", assets=()),)
    result = bench.run(epoch="8")
    assert result.held is not None
    assert [one.id for one in bench.api.exports.values() if one.epoch == "8"] == [result.held.job_id]


def test_nothing_is_begun_again_while_it_is_unknown_whether_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be more jobs since the request than are read."""

    def lost(*args: object, **kwargs: object) -> JobId:
        raise AnswerLost("the connection broke")

    with monkeypatch.context() as patch:
        patch.setattr(bench.api, "export_weights", lost)
        assert bench.run().status == "failed"
    monkeypatch.setattr(bench.api, "list_jobs", lambda **_: JobPage(jobs=(), next_token="more"))
    result = bench.run()
    assert (result.status, bench.api.exports) == ("failed", {})
    assert "is not known" in result.why
    assert len(bench.notes["begun"]) == 1


def test_a_request_that_never_arrived_is_sent_by_the_next_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export of another epoch, which somebody began meanwhile, is not taken for it."""
    export = bench.api.export_weights

    def lost(*args: object, **kwargs: object) -> JobId:
        raise AnswerLost("the connection broke")

    monkeypatch.setattr(bench.api, "export_weights", lost)
    assert bench.run().status == "failed"
    export(bench.model, "8")
    monkeypatch.setattr(bench.api, "export_weights", export)
    assert bench.run().status == "exported"
    assert [one.epoch for one in bench.api.exports.values()] == ["8", None]


def test_a_run_that_was_killed_in_the_download_continues_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same export, and only the bytes that are missing."""
    bench.server.script = ["cut"]
    with monkeypatch.context() as patch:
        patch.setattr(bench.api, "get_weights", _once_then_killed(bench))
        with pytest.raises(Killed):
            bench.run()
    assert "kael-v3.part" in bench.names()
    result = bench.run()
    assert (result.status, result.resumed) == ("exported", len(WEIGHTS) // 2)
    assert bench.server.asked[-1] == (f"bytes={len(WEIGHTS) // 2}-", '"one"')
    assert len(bench.api.exports) == 1
    assert bench.names() == ["kael-v3.safetensors", "weights.json"]
    assert bench.notes["begun"] == []


def _once_then_killed(bench: Bench) -> Callable[[JobId], object]:
    real, ended = bench.api.get_weights, [False]

    def ask(job_id: JobId) -> object:
        if ended[0]:
            raise Killed
        found = real(job_id)
        ended[0] = found.status == "success"
        return found

    return ask


def test_a_run_that_was_killed_before_the_file_had_its_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: object, target: object, name: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(WeightsExport, "_place", killed)
        with pytest.raises(Killed):
            bench.run()
    assert "kael-v3.safetensors" not in bench.names()
    calls = len(bench.api.log)
    assert bench.run().status == "kept"
    assert len(bench.api.log) == calls
    assert bench.names() == ["kael-v3.safetensors", "weights.json"]


def test_a_deleted_file_is_downloaded_again_without_a_second_export(bench: Bench) -> None:
    """Unless the service does not know the export any more: then it is begun anew."""
    bench.run()
    (bench.folder / "kael-v3.safetensors").unlink()
    assert bench.run().status == "exported"
    assert len(bench.api.exports) == 1
    (bench.folder / "kael-v3.safetensors").unlink()
    bench.api.exports.clear()
    assert bench.run().status == "exported"
    assert len(bench.api.exports) == 1


def test_addresses_that_expired_for_good_lead_to_one_new_export(bench: Bench) -> None:
    bench.run()
    (bench.folder / "kael-v3.safetensors").unlink()
    bench.server.script = ["403"] * 3
    assert bench.run().status == "exported"
    assert len(bench.api.exports) == 2
    (bench.folder / "kael-v3.safetensors").unlink()
    bench.server.script = ["403"] * 99
    assert bench.run().status == "failed"
    assert len(bench.api.exports) == 3


@pytest.mark.parametrize("name", ["kael-v3.safetensors", "kael-v3.zip"])
def test_nothing_of_others_is_overwritten(bench: Bench, name: str) -> None:
    """It is refused before an export is begun; a link counts as something that is there."""
    bench.folder.mkdir()
    (bench.folder / name).write_text("mine")
    result = bench.run()
    assert (result.status, bench.api.exports) == ("failed", {})
    assert "exists" in result.why
    (bench.folder / name).unlink()
    (bench.folder / name).symlink_to("/nowhere")
    assert bench.run().status == "failed"
    assert bench.api.exports == {}


def test_a_changed_file_is_not_replaced(bench: Bench) -> None:
    bench.run()
    (bench.folder / "kael-v3.safetensors").write_text("changed")
    result = bench.run()
    assert (result.status, len(bench.api.exports)) == ("failed", 1)
    assert "was changed since" in result.why


def test_an_epoch_has_a_file_of_its_own(bench: Bench) -> None:
    bench.run()
    bench.api.epochs[bench.model] = (RemoteEpoch(name="8", assets=()),)
    assert bench.run(epoch="8").status == "exported"
    assert bench.names() == ["kael-v3-epoch8.safetensors", "kael-v3.safetensors", "weights.json"]
    assert [one.epoch for one in bench.api.exports.values()] == [None, "8"]


def test_a_model_that_was_trained_again_has_another_file(bench: Bench) -> None:
    """In place: the same version, and other weights. Both files stay, and a further run finds both."""
    bench.run()
    again = [t._replace(version=replace(t.version, launched_at="2026-11-09T10:00:00Z")) for t in bench.targets()]
    assert [one.status for one in bench.run_all(again)] == ["exported"]
    assert bench.names() == ["kael-v3-20261109T100000Z.safetensors", "kael-v3.safetensors", "weights.json"]
    assert [one.status for one in bench.run_all([*again, *bench.targets()])] == ["kept", "kept"]
    assert len(bench.api.exports) == 2


def test_names_that_differ_in_case_alone_are_told_apart(bench: Bench) -> None:
    """On some file systems they are the same."""
    [one] = bench.targets()
    other = one._replace(address=Address("model", "KAEL"), epoch="8", stem=one.stem.upper())
    bench.api.epochs[bench.model] = (RemoteEpoch(name="8", assets=()),)
    assert [found.status for found in bench.run_all([one, other])] == ["exported", "exported"]
    assert bench.names() == ["KAEL-V3-20261101T100000Z.safetensors", "kael-v3.safetensors", "weights.json"]


def test_a_limit_of_the_account_is_told_in_words(bench: Bench) -> None:
    """What fits is exported; after the first refusal no other export is tried."""
    bench.api.generation.download_model = 1
    bench.api.epochs[bench.model] = tuple(RemoteEpoch(name=name, assets=()) for name in ("1", "2"))
    targets = [*bench.targets(), *bench.targets(epoch="1"), *bench.targets(epoch="2")]
    first, second, third = bench.run_all(targets)
    assert (first.status, second.status, third.status) == ("exported", "failed", "failed")
    assert second.hint is not None
    assert "larger plan" in second.hint
    assert third.why == "not begun, because the account's limit was reached (download-model)"
    assert bench.api.count("export_weights") == 2
    assert bench.notes["begun"] == []


def test_an_export_that_is_charged_needs_approval(bench: Bench) -> None:
    """And one that was begun is not asked about again."""

    def refuse(cu: float) -> None:
        raise WeightsError(f"{cu} CU")

    bench.api.generation.export_cu = 4.5
    with pytest.raises(WeightsError, match=r"4\.5 CU"):
        bench.run(approve=refuse)
    assert bench.api.exports == {}
    assert bench.run().status == "exported"
    assert bench.asked == [4.5]


def test_an_export_in_place_of_one_that_is_gone_is_approved_too(bench: Bench) -> None:
    """Whether the service does not know it any more, or refuses every address of its file."""

    def refuse(cu: float) -> None:
        raise WeightsError(f"not approved: {cu} CU")

    bench.run()
    bench.api.generation.export_cu = 4.5
    (bench.folder / "kael-v3.safetensors").unlink()
    bench.server.script = ["403"] * 3
    assert (bench.run(approve=refuse).why, len(bench.api.exports)) == ("not approved: 4.5 CU", 1)
    bench.api.exports.clear()
    assert (bench.run(approve=refuse).why, len(bench.api.exports)) == ("not approved: 4.5 CU", 0)
    assert bench.run().status == "exported"
    assert (bench.asked, len(bench.api.exports)) == ([4.5], 1)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04" + bytes(50), "kael-v3.zip"),
        (b"something of another format", "kael-v3.bin"),
        (b"<html>an error page</html>", None),
        (WEIGHTS[:-1], None),
    ],
)
def test_a_file_is_named_by_its_bytes(bench: Bench, content: bytes, name: str | None) -> None:
    """A page in place of weights, and a safetensors file that is cut, are no weights."""
    bench.server.content = content
    result = bench.run()
    assert result.status == ("failed" if name is None else "exported")
    assert bench.names() == (["weights.json"] if name is None else [name, "weights.json"])


def test_a_forged_record_downloads_no_other_model(bench: Bench) -> None:
    """weights.json may have come with a commit: a job in it counts only if it is one of that model."""
    other = bench.api.create_model(name="Other", type="flux.1-lora").id
    foreign = bench.api.export_weights(other)
    with WeightsRecord(own_folder(str(bench.folder))).opened() as record:
        record.begin(
            BegunWeights(
                address=KAEL, version=3, model_id=bench.model, training=bench.version.launched_at, at="", job_id=foreign
            )
        )
    assert bench.run().status == "exported"
    assert [one.model for one in bench.api.exports.values()] == [other, bench.model]


@pytest.mark.parametrize("file", ["../evil.safetensors", "/etc/passwd", ".hidden", "a/b", "x" * 300])
def test_a_record_with_another_path_is_refused(bench: Bench, file: str) -> None:
    bench.run()
    notes = bench.notes
    notes["weights"][0]["file"] = file
    (bench.folder / "weights.json").write_text(json.dumps(notes))
    with pytest.raises(WeightsError, match="cannot be read"):
        bench.run()


def test_two_exports_do_not_meet_in_a_folder(bench: Bench) -> None:
    with (
        WeightsRecord(own_folder(str(bench.folder))).opened(),
        pytest.raises(WeightsError, match="another export"),
    ):
        bench.run()


def test_a_model_that_was_deleted_is_named(bench: Bench) -> None:
    bench.api.delete_model(bench.model)
    assert "was deleted" in bench.run().why


def test_which_weights_are_chosen() -> None:
    """Children of a matrix by its name; what is not there is told with what is."""
    trained = Version(number=2, id=ModelId("m2"), phase="trained", name="K", type="flux.1-lora", epoch="7")
    older = replace_number(trained, 1)
    slow, fast = Address("model", "lr", "slow"), Address("model", "lr", "fast")
    winter = Address("composition", "winter")
    failed = Version(number=1, id=ModelId("m9"), phase="failed", name="K", type="flux.1-lora")
    state = State(
        records={
            KAEL: Record(current=trained, previous=(older,)),
            slow: Record(current=older),
            fast: Record(current=failed),
            winter: Record(current=older),
        }
    )

    def chosen(*addresses: Address, version: int | None = None, epoch: str | None = None) -> list[str]:
        targets, missing = chosen_weights(state, addresses, version=version, epoch=epoch)
        return [*(one.stem for one in targets), *(f"{one.address}: {one.why}" for one in missing)]

    assert chosen() == ["kael-v2-epoch7", "lr.slow-v1-epoch7"]
    assert chosen(Address("model", "lr")) == ["lr.slow-v1-epoch7", "model.lr/fast: version 1 is not trained"]
    assert chosen(KAEL, version=1, epoch="9") == ["kael-v1-epoch9"]
    assert chosen(KAEL, version=5) == ["model.kael: it has no version 5"]
    assert chosen(winter) == ["winter-composition-v1-epoch7"]
    assert chosen(winter, epoch="9") == ["composition.winter: a composition has no epochs"]
    assert chosen(Address("model", "kel")) == ["model.kel: it is not recorded"]


def replace_number(version: Version, number: int) -> Version:
    return replace(version, number=number, id=ModelId(f"m{number}"))
