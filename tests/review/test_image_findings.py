"""Findings are shown with the image that they are about."""

from __future__ import annotations

import pytest

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.review.image_findings import CaptionPlace, findings_of_images
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
