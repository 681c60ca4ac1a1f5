"""dataset.captions.sidecars: which caption file belongs to which picture."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.sidecars import Sidecars, find_sidecars
from scenario_apply.dataset.facts import FileEntry


def entry(path: str) -> FileEntry:
    return FileEntry(path, "set/" + path, 1, 1, 1)


def found(images: str, texts: str, suffix: str | None = None, excluded: str = "") -> Sidecars:
    held = {name: entry(name) for name in texts.split()}
    return find_sidecars([entry(name) for name in images.split()], held, suffix, excluded.split())


@pytest.mark.parametrize(
    ("image", "text", "suffix"),
    [
        ("01.PNG", "01.TXT", None),
        ("01.png", "01.Caption", None),
        ("01.png", "01.png.TXT", None),
        ("01.png", "01.CAP", ".cap"),
        ("01.png", "01.cap", ".CAP"),
        ("sub/01.png", "sub/01.TXT", None),
    ],
)
def test_an_ending_in_capitals_is_the_same_ending(image: str, text: str, suffix: str | None) -> None:
    sidecars = found(image, text, suffix)
    assert sidecars.of[image].path == text
    assert not sidecars.findings
    assert not sidecars.orphans


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("img_01.png", "IMG_01.txt"),
        ("IMG_01.PNG", "img_01.txt"),
        ("img_01.png", "IMG_01.PNG.TXT"),
        ("01.png", "01.jpg.txt"),
    ],
)
def test_a_name_that_differs_in_case_or_picture_ending_is_used_and_mentioned(image: str, text: str) -> None:
    """Where it can belong to one picture only."""
    sidecars = found(image, text)
    assert sidecars.of[image].path == text
    assert [(f.code, f.file) for f in sidecars.findings] == [("C22", f"set/{text}")]


@pytest.mark.parametrize(
    ("images", "texts"),
    [
        ("a.png A.png", "a.txt"),  # the exact name comes first
        ("a.png A.jpg", "a.TXT"),
        ("a.png", "a.txt A.txt"),
    ],
)
def test_another_case_takes_nothing_from_an_exact_name(images: str, texts: str) -> None:
    sidecars = found(images, texts)
    assert [*sidecars.of] == ["a.png"]
    assert sidecars.of["a.png"].path == texts.split()[0]


def test_what_can_belong_to_two_pictures_belongs_to_none() -> None:
    sidecars = found("ab.png AB.png", "Ab.txt")
    assert not sidecars.of
    assert [text.path for text in sidecars.orphans] == ["Ab.txt"]


@pytest.mark.parametrize("texts", ["03.txt 03.png.txt", "03.txt 03.TXT", "03.caption 03.png.txt", "03.txt 03.caption"])
def test_two_caption_files_of_one_picture_are_both_named(texts: str) -> None:
    (finding,) = found("03.png", texts).findings
    assert finding.code == "C17"
    assert all(name in finding.what for name in texts.split())


def test_a_stem_belongs_to_the_picture_that_has_no_other() -> None:
    """a.txt is for a.jpg, because a.png has a.png.txt."""
    sidecars = found("a.jpg a.png", "a.txt a.png.txt")
    assert {image: text.path for image, text in sidecars.of.items()} == {"a.jpg": "a.txt", "a.png": "a.png.txt"}
    assert not sidecars.findings


@pytest.mark.parametrize("text", ["b.TXT", "B.txt", "b.png.txt"])
def test_the_caption_of_a_picture_left_out_is_no_orphan(text: str) -> None:
    assert not found("a.png", f"a.txt {text}", excluded="b.png").orphans
