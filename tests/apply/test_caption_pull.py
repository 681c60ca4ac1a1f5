"""Where pulled captions are written, and where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.apply.caption_pull import Pulled, pull_captions
from scenario_apply.apply.held_captions import HeldModel
from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, TrainingImage
from scenario_apply.state.state import ImageRecord
from tests.dataset.build import make_picture, spec_from
from tests.planning.decisions import KAEL, version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2):
        make_picture(tmp_path / "set" / f"0{number}.png", seed=number, size=(32, 32))
    return tmp_path


def pulled(root: Path, *, recorded: str = "", description: str = "", **spec: Any) -> Pulled:
    """recorded, description: of the second image, as it was sent and as the service shows it."""
    declared = spec_from({"images": ["set"], **spec})
    scanned = scan_datasets({"set": declared}, root=str(root), cache_path=None, types_of={}, cwd=str(root))["set"]
    images = scanned.contents.images
    sent = tuple(
        ImageRecord(image.path, image.sha256, AssetId(f"a{at}"), caption)
        for at, (image, caption) in enumerate(zip(images, ("", recorded), strict=True))
    )
    shown = tuple(
        TrainingImage(id=AssetId(f"a{at}"), name="", description=text, automatic_caption=f"own {at},\n")
        for at, text in enumerate(("", description))
    )
    remote = RemoteModel(id=ModelId("m1"), type="flux.1-lora", status="trained", images=shown)
    held = HeldModel(address=KAEL, version=replace(version(), images=sent), remote=remote)
    return pull_captions(caption_places(declared, root=str(root)), images, [held])


def test_the_services_own_captions_are_written_on_one_line(root: Path) -> None:
    assert [one.file for one in pulled(root).written] == ["set/01.txt", "set/02.txt"]
    assert (root / "set" / "01.txt").read_text() == "own 0\n"


@pytest.mark.parametrize(
    ("recorded", "description"), [("sent by hand", "sent by hand"), ("", "written on the web page")]
)
def test_a_text_of_a_person_is_named_and_not_written(root: Path, recorded: str, description: str) -> None:
    done = pulled(root, recorded=recorded, description=description)
    assert [one.file for one in done.written] == ["set/01.txt"]
    assert (recorded or description) in done.left["02.png"]


def test_a_table_of_the_dataset_is_continued(root: Path) -> None:
    (root / "c.csv").write_bytes(b"\xef\xbb\xbffile,text\r\nset/01.png,by hand\r\n")
    pulled(root, captions="c.csv")
    assert (root / "c.csv").read_bytes() == b"\xef\xbb\xbffile,text\r\nset/01.png,by hand\r\nset/02.png,own 1\r\n"


@pytest.mark.parametrize("text", ["version: 1\n", "{01: x}\n"])
def test_a_file_that_is_no_table_of_the_images_is_left(root: Path, text: str) -> None:
    (root / "other.yaml").write_text(text)
    done = pulled(root, captions="other.yaml")
    assert done.written == []
    assert (root / "other.yaml").read_text() == text


@pytest.mark.parametrize("captions", ["filename", {"01.png": "a"}])
def test_captions_that_are_in_no_file_are_not_added_to(root: Path, captions: Any) -> None:
    assert pulled(root, captions=captions).notes
    assert list((root / "set").glob("*.txt")) == []
