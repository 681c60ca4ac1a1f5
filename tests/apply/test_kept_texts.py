"""What the service makes of names, tags and captions is no change; what people make of them is."""

from __future__ import annotations

import html
import unicodedata
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.events import Noted
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.planning.changes import Action
from tests.fakes.bench import Bench, model
from tests.fakes.normalising import Form, NormalisingScenario

CAPTION = "KAEL_07, a  Ranger in a cafe\u0301 & his bow, at dusk\n"
FORMS: dict[str, Form] = {
    "blanks collapsed": lambda text: " ".join(text.split()),
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "cut": lambda text: text[:24],
    "cut after a word": lambda text: text[:19],
    "lower case": str.lower,
    "escaped": lambda text: text.replace("&", "&amp;"),
    "only letters": lambda text: "".join(c for c in text if c.isascii() and (c.isalnum() or c == " ")),
}


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.add("kael", [CAPTION, "KAEL_07, side view", None])
    described = "Green  hood & a bow of the north.\n"
    bench.declare(
        model("kael", "kael", label="Kael & the  cafe\u0301 Ranger ", description=described, tags=("Hero & Co", "x")),
        model("fast", "kael"),
    )
    return bench


def actions(bench: Bench, service: NormalisingScenario) -> set[Action]:
    return {change.action for change in bench.plan(service).plan.changes}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_an_answer_says_was_kept_is_no_change(bench: Bench, form: Form) -> None:
    """Whatever the service makes of a text: the plan after an apply is empty, and so is a second apply."""
    service = NormalisingScenario(bench.clock, form)
    assert bench.apply(service).status == "done"
    prepared = bench.plan(service)
    assert (prepared.plan.has_changes, prepared.plan.drift) == (False, ())
    assert bench.apply(service).status == "done"
    assert len(service.jobs) == 2


@pytest.mark.parametrize("name", ["blanks collapsed", "composed", "cut", "cut after a word", "lower case"])
def test_where_the_answer_to_a_caption_says_nothing_known_forms_are_no_change(bench: Bench, name: str) -> None:
    service = NormalisingScenario(bench.clock, FORMS[name], is_silent=True)
    bench.declare(model("kael", "kael", tags=("Hero",)))
    assert bench.apply(service).status == "done"
    assert not bench.plan(service).plan.has_changes


@pytest.mark.parametrize(("name", "count"), [("cut", 1), ("lower case", 1), ("blanks collapsed", 0)])
def test_a_caption_that_loses_words_is_remarked_on_once(bench: Bench, name: str, count: int) -> None:
    """The model is trained on what is kept. Collapsed blanks are not worth a remark."""
    bench.declare(model("kael", "kael"))
    bench.apply(NormalisingScenario(bench.clock, FORMS[name]))
    remarks = [event.text for event in bench.events if isinstance(event, Noted)]
    assert len([text for text in remarks if "keeps the caption of 0" in text]) == count


def test_tags_that_the_service_drops_are_not_sent_every_time(bench: Bench) -> None:
    class Few(NormalisingScenario):
        def update_tags(self, model_id, *, add, delete, sending=None):  # type: ignore[no-untyped-def]  # as its parent
            return super().update_tags(model_id, add=add[:2], delete=delete, sending=sending)

    service = Few(bench.clock, str)
    bench.declare(model("kael", "kael", tags=("a", "b", "c")))
    bench.apply(service)
    assert not bench.plan(service).plan.has_changes
    bench.declare(model("kael", "kael", tags=("a", "b")))
    bench.apply(service)
    assert service.models[bench.record("model.kael").current.id].tags == ["a", "b"]
    assert not bench.plan(service).plan.has_changes


@pytest.mark.parametrize("form", [str.lower, lambda text: text[:15]], ids=["lower case", "cut"])
def test_what_is_done_to_every_caption_is_done_by_the_service(bench: Bench, form: Form) -> None:
    """The answers say that the captions were kept as they were sent, and reads show them otherwise."""
    service = NormalisingScenario(bench.clock, str)
    bench.add("kael", ["KAEL_07, front view", "KAEL_07, side view", "KAEL_07, back view", "KAEL, up"])
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    for asset in service.assets.values():
        asset.description = form(asset.description)
    assert not bench.plan(service).plan.has_changes
    edited = service.assets[bench.record("model.kael").current.images[1].asset_id]
    edited.description = form("somebody wrote this")
    assert [item.path for item in bench.plan(service).plan.drift] == ["02.png"]


@pytest.mark.parametrize("is_silent", [True, False])
@pytest.mark.parametrize(
    "form",
    [
        lambda text: html.escape(text),
        lambda text: text.replace("\u201c", '"').replace("\u201d", '"'),
        lambda text: text.replace(" \U0001f415", ""),
        lambda text: text.replace(", ", ","),
        lambda text: text[:25].rpartition(" ")[0] if len(text) > 25 else text,
    ],
    ids=["escaped", "straight quotes", "no emoji", "no blank after a comma", "cut after a word"],
)
def test_signs_that_the_service_changes_unsaid_are_not_paid_for(bench: Bench, form: Form, is_silent: bool) -> None:
    """Answers are silent, or say what was sent and reads show another form: the plan after an apply is empty."""
    service = NormalisingScenario(bench.clock, str, is_silent=is_silent)
    captions = [
        "KAEL_07, a \u201ccool\u201d ranger & dog \U0001f415",
        "KAEL_07, \u201cday\u201d & night \U0001f415, a watch",
        "KAEL",
    ]
    bench.add("kael", captions)
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    for asset in service.assets.values():
        asset.description = form(asset.description)
    assert sum(asset.description not in captions for asset in service.assets.values()) == 2
    prepared = bench.plan(service)
    assert (prepared.plan.has_changes, prepared.plan.drift) == (False, ())


@pytest.mark.parametrize("numbers", [(0,), (0, 1)])
def test_captions_that_people_shorten_are_drift(bench: Bench, numbers: tuple[int, ...]) -> None:
    """One, or several to another length each."""
    service = NormalisingScenario(bench.clock, str)
    bench.add("kael", ["KAEL_07, front view", "KAEL_07, his bow, side view", "KAEL_07, back view"])
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    images = bench.record("model.kael").current.images
    for number in numbers:
        service.assets[images[number].asset_id].description = images[number].caption.rpartition(",")[0]
    assert [item.path for item in bench.plan(service).plan.drift] == [images[number].path for number in numbers]


def test_a_caption_edited_on_the_service_is_still_drift(bench: Bench) -> None:
    service = NormalisingScenario(bench.clock, FORMS["cut"])
    bench.apply(service)
    asset = bench.record("model.kael").current.images[0].asset_id
    service.assets[asset].description = "somebody wrote this"
    drift = bench.plan(service).plan.drift
    assert {(item.what, item.path, item.observed) for item in drift} == {("caption", "01.png", "somebody wrote this")}


def test_a_name_and_a_tag_changed_on_the_service_are_still_drift(bench: Bench) -> None:
    service = NormalisingScenario(bench.clock, str.lower)
    bench.apply(service)
    held = service.models[bench.record("model.kael").current.id]
    held.name, held.tags = "Karl", ["x"]
    drift = bench.plan(service).plan.drift
    assert {(item.what, item.observed) for item in drift if item.what == "name"} == {("name", "Karl")}
    assert [item.recorded for item in drift if item.what == "tags"] == [["Hero & Co"]]


def test_labels_that_change_in_the_manifest_are_sent_once(bench: Bench) -> None:
    """Also where the new one is kept in another form, too; a tag goes in the form in which it is kept."""
    service = NormalisingScenario(bench.clock, str.lower)
    bench.apply(service)
    [kael] = [spec for spec in bench.manifest.models.values() if spec.address.name == "kael"]
    bench.declare(replace(kael, name="Kael of the North", description="Other HOOD", tags=("Quick Start",)))
    bench.apply(service)
    held = service.models[bench.record("model.kael").current.id]
    assert (held.name, held.description, held.tags) == ("kael of the north", "other hood", ["quick start"])
    assert Action.UPDATE not in actions(bench, service)


def test_a_tag_that_is_cut_though_the_answer_does_not_say_so_is_held(bench: Bench) -> None:
    service = NormalisingScenario(bench.clock, lambda text: text[:6], is_silent=True)
    bench.declare(model("kael", "kael", tags=("Quick Start", "Hero")))
    bench.apply(service)
    assert not bench.plan(service).plan.has_changes


def test_what_is_cut_to_the_text_of_before_is_sent_once(bench: Bench) -> None:
    """Words were added, and the service keeps as much as before."""
    service = NormalisingScenario(bench.clock, lambda text: text[:19])
    in_place = Lifecycle(on_change="retrain")
    bench.add("kael", ["KAEL_07, front view"])
    bench.declare(model("kael", "kael", label="Kael of the North a", lifecycle=in_place))
    bench.apply(service)
    bench.add("kael", ["KAEL_07, front view, at dusk"])
    bench.declare(model("kael", "kael", label="Kael of the North a and the South", lifecycle=in_place))
    bench.apply(service)
    assert not bench.plan(service).plan.has_changes


def test_a_tag_that_only_changes_its_case_stays(bench: Bench) -> None:
    """The service keeps both under one name: deleting the old one would delete the new one."""
    service = NormalisingScenario(bench.clock, str.lower)
    bench.declare(model("kael", "kael", tags=("Hero",)))
    bench.apply(service)
    bench.declare(model("kael", "kael", tags=("hero",)))
    bench.apply(service)
    assert service.models[bench.record("model.kael").current.id].tags == ["hero"]
    assert bench.record("model.kael").current.tags == ("hero",)
    assert not bench.plan(service).plan.has_changes


def test_a_replacement_takes_its_captions_as_they_were_sent(bench: Bench) -> None:
    """An asset whose caption is kept in another form serves a new version: nothing is uploaded or captioned again."""
    service = NormalisingScenario(bench.clock, FORMS["cut after a word"])
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    bench.declare(model("kael", "kael", parameters={"nbEpochs": 7}))
    kinds = [planned.kind for planned in bench.plan(service).plan.steps]
    assert kinds == ["create", "attach", "train", "wait"]


def test_an_answer_with_the_caption_of_before_says_nothing(bench: Bench) -> None:
    """A service that answers from a copy that lags: the caption that is read later is the one that was sent."""

    class Lagging(NormalisingScenario):
        def set_caption(self, asset_id, caption, *, sending=None):  # type: ignore[no-untyped-def]  # as its parent
            before = self.assets[asset_id].description
            super().set_caption(asset_id, caption, sending=sending)
            return before

    service = Lagging(bench.clock, str)
    bench.declare(model("kael", "kael", lifecycle=Lifecycle(on_change="retrain")))
    bench.apply(service)
    assert not bench.plan(service).plan.has_changes
    asset = bench.record("model.kael").current.images[0].asset_id
    assert bench.record("model.kael").current.images[0].kept is None
    service.assets[asset].description = ""
    assert [item.what for item in bench.plan(service).plan.drift] == ["caption"]


def test_the_services_own_caption_in_place_of_none_is_no_change(bench: Bench) -> None:
    """Whether it shows as the caption of an image that was sent without one is not settled."""
    service = NormalisingScenario(bench.clock, str)
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    for asset in service.assets.values():
        asset.description = asset.description or f"a picture: {asset.name}"
    assert not bench.plan(service).plan.has_changes
