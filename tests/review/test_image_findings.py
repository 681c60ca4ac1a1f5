"""Findings are shown with the image that they are about."""

from __future__ import annotations

import pytest

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.review.image_findings import CaptionPlace, findings_of_images, twins_named
from tests.planning.manifests import picture

IMAGES = (picture("01.png", "ash"), picture("02.png", "elm"))


@pytest.mark.parametrize(
    ("file", "line", "paths"),
    [
        ("here/pictures/01.png", None, ["01.png"]),
        ("here/pictures/01.txt", 3, ["01.png"]),
        ("here/pictures/01.png.txt", None, ["01.png"]),
        ("here/captions.csv", 2, ["02.png"]),
        ("here/captions.csv", 7, []),  # a row without an image
        ("scenario.yaml", 4, []),
        ("here/pictures/03.txt", None, []),
    ],
)
def test_a_finding_belongs_to_the_image_its_caption_file_or_its_row(
    file: str, line: int | None, paths: list[str]
) -> None:
    problem = Diagnostic(code="C12", message="chatter", location=Location(file=file, line=line))
    places = {"02.png": CaptionPlace("captions.csv", 2)}
    found = findings_of_images(IMAGES, places, [problem], lambda name: f"here/{name}")
    assert found == {path: [problem] for path in paths}


@pytest.mark.parametrize(
    ("code", "message", "twins"),
    [
        ("D01", "b.png is the same file as sub/a b.png", ("sub/a b.png",)),
        ("D02", "looks like a re-saved or resized copy of a.png", ("a.png",)),
        ("D02", "near-duplicate of a.png (different colours)", ("a.png",)),
        ("D03", "near-duplicate of a.png (1).png", ("a.png (1).png",)),
        ("D04", "looks like a mirrored copy of gone.png", ()),
        ("D05", "shows the same picture as a.png, so there is no edit to learn", ("a.png",)),
        ("C11", "1 caption is nearly identical to the caption of a.png", ()),
    ],
)
def test_the_twin_of_a_picture_is_the_one_its_finding_names(code: str, message: str, twins: tuple[str, ...]) -> None:
    paths = {"a.png", "sub/a b.png", "a.png (1).png"}
    assert twins_named([Diagnostic(code=code, message=message)], paths) == twins
