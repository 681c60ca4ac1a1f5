"""dataset/captions/caption_edits.py: one caption is replaced, every other byte is as it was."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.caption_edits import to_be_written, with_caption
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import DatasetSpec

NEW = 'it\'s "new": a, b # c'


def spec(**more: str) -> DatasetSpec:
    return DatasetSpec(name="set", place=Location(file="m.yaml"), **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("file", "text", "line", "after"),
    [
        ("t.csv", "file_name,text\r\n01.png,old one\r\n02.png,old\r\n", 3, '02.png,"it\'s ""new"": a, b # c"\r\n'),
        ("t.jsonl", '{"file_name": "01.png", "text": "x"}\n{"file_name":"02.png","text":"old"}\n', 2, None),
        ("t.json", '{"01.png": "old", "02.png": "old"}', 1, '{"01.png": "old", "02.png": "it\'s \\"new\\": a, b # c"}'),
        ("t.yaml", "# top\n01.png: old\n02.png: old  # two\n", 3, '02.png: "it\'s \\"new\\": a, b # c"  # two\n'),
    ],
)
def test_a_row_of_a_table_is_replaced(file: str, text: str, line: int, after: str | None) -> None:
    new = with_caption(text, file, Raw("old", file, line), NEW, "02.png", is_table=True)
    assert new is not None
    assert new[:20] == text[:20]
    assert after is None or new.endswith(after), new


@pytest.mark.parametrize(("text", "after"), [("old\r\n", "fresh\r\n"), ("\n old", "\n fresh")])
def test_blanks_and_line_ends_of_a_file_are_kept(text: str, after: str) -> None:
    assert with_caption(text, "01.txt", Raw(text, "01.txt"), "fresh", "01.png", is_table=False) == after


def test_a_row_that_is_not_found_alone_is_left() -> None:
    """Two rows name the picture, or the text stands over several lines."""
    text = "01.png: >\n  old\n  text\n"
    assert with_caption(text, "t.yaml", Raw("old text", "t.yaml", 1), "new", "01.png", is_table=True) is None


@pytest.mark.parametrize(
    ("before", "caption", "written"),
    [
        ("a fox", "FOX, a red fox", "a red fox"),
        ("FOX, a fox", "FOX, a red fox", "FOX, a red fox"),
        ("a fox", "a red FOX", "a red FOX"),
        ("a fox", "a red fox", None),
        ("a fox", "FOX, two\nlines", None),
        ("a fox", "FOX, a [trigger] fox", None),
    ],
)
def test_the_text_is_the_one_that_is_sent_as_the_caption(before: str, caption: str, written: str | None) -> None:
    assert to_be_written(spec(trigger="FOX"), "01.png", before, caption) == written


def test_prefix_and_suffix_are_taken_off() -> None:
    framed = spec(prefix="photo", suffix="at dusk")
    assert to_be_written(framed, "01.png", "a fox", "photo, a red fox, at dusk") == "a red fox"
