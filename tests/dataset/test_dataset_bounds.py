"""Captions and tables that need too much work: the work is limited, and what is left out is reported."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import Any

import pytest

from scenario_apply.dataset.assemble import caption_pictures
from scenario_apply.dataset.captions import json_tables
from scenario_apply.dataset.captions.caption_errors import LONGEST_CAPTION, CaptionTooLong
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.captions.gather import Gathered
from scenario_apply.dataset.captions.matching import Lookup, match_rows
from scenario_apply.dataset.captions.table_entries import CaptionRow
from scenario_apply.dataset.captions.tables import caption_rows, read_table
from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.lint import caption_rules as lint_captions
from scenario_apply.dataset.lint import duplicate_rules as lint_duplicates
from scenario_apply.dataset.lint import phrase_rules as lint_phrases
from scenario_apply.dataset.lint.lint import lint, lint_texts
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.lint_rules import Finding, settings_from
from tests.dataset.build import spec_from


def facts_of(path: str) -> Facts:
    return Facts(path, 1, 1, 1, path, "PNG", "image/png", 1024, 1024, "RGB")


def subject_of(captions: list[str], **fields: Any) -> Subject:
    pictures = tuple(
        Picture(f"{n}.png", facts_of(f"{n}.png"), caption, caption, f"{n}.txt") for n, caption in enumerate(captions)
    )
    return Subject(spec=spec_from(fields), types=("flux.1-lora",), settings=settings_from({})[0], pictures=pictures)


# -- tables


def test_the_lines_of_a_json_table_are_found_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is searched once, not once for each of its twenty thousand keys."""
    searched = 0
    strings = json_tables._STRINGS

    class Counted:
        def finditer(self, text: str) -> Any:
            nonlocal searched
            searched += len(text)
            return strings.finditer(text)

    monkeypatch.setattr(json_tables, "_STRINGS", Counted())
    text = json.dumps({f"{n}.png": f'a "{n}": b' for n in range(20_000)}, indent=1)
    table = read_table(text, file="c.json")
    assert searched == len(text)
    assert [row.line for row in table.rows] == list(range(2, 20_002))


def test_the_lines_of_a_json_table_are_those_of_its_keys() -> None:
    """Not of a text that looks like one; the second of a key given twice is where it is said."""
    text = '{\n"a": "\\"b\\": x",\n"é": {"caption": "b"},\n"\\u00fc"\n: "x",\n"b" : "y",\n"a": "z"}'
    table = read_table(text, file="c.json")
    assert {row.fields["file_name"]: row.line for row in table.rows} == {"a": 2, "é": 3, "ü": 4, "b": 6}
    assert [(finding.code, finding.line) for finding in table.findings] == [("C17", 7)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.jsonl", '{"file_name": "a.png", "text": "x"}\n' * 11),
        ("c.jsonl", "{\n" * 11),
        ("c.csv", "file_name,text\n" + "a.png,x\n" * 11),
        ("c.csv", "file_name,text\n" + "a.png,x,y\n" * 11),
        ("c.yaml", "".join(f"{n}.png: x\n" for n in range(11))),
        ("c.json", json.dumps({f"{n}.png": "x" for n in range(11)})),
        ("c.json", json.dumps([{"file_name": f"{n}.png", "text": "x"} for n in range(11)])),
    ],
)
def test_a_table_has_a_longest_length(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by an error, so that no caption is lost in silence."""
    for reader in ("csv_tables", "json_tables", "yaml_map"):
        monkeypatch.setattr(f"scenario_apply.dataset.captions.{reader}.MOST_ROWS", 10)
    table = read_table(text, file=name)
    assert len(table.rows) <= 10
    last = table.findings[-1]
    assert last.code == "C18"
    assert "rows" in last.what or "at most 10" in last.what
    assert len(table.findings) <= 21


def test_a_table_has_so_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand columns in five thousand rows are fifteen million values."""
    header = "file_name,text," + ",".join(f"c{n}" for n in range(3_000))
    table = read_table(header + "\n" + "a.png,x" + "," * 3_000, file="c.csv")
    assert [(finding.code, finding.line) for finding in table.findings] == [("C18", 1)]
    assert not table.rows


@pytest.mark.parametrize("name", ["c.json", "c.jsonl"])
@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "NaN", "-Infinity", "1.50"])
def test_a_number_in_a_table_is_the_text_that_stands_there(name: str, number: str) -> None:
    """Whatever its size: no caption is computed with."""
    text = f'{{"a.png": {number}}}' if name == "c.json" else f'{{"file_name": "a.png", "text": {number}}}'
    rows, findings = caption_rows(read_table(text, file=name), file=name)
    assert not findings
    assert rows[0].text == number


def test_a_csv_field_of_megabytes_is_refused() -> None:
    """With its line."""
    table = read_table('file_name,text\na.png,"' + "ab " * 1_000_000 + '"\n', file="c.csv")
    assert [(finding.code, finding.line) for finding in table.findings] == [("C18", 2)]


def test_proposals_are_made_for_the_first_rows_only() -> None:
    """A hundred thousand names that are nearly right would be compared with thousands of names each."""
    images = [FileEntry(f"picture-{n}.png", f"picture-{n}.png", 1, 1, 1) for n in range(2_001)]
    rows = [CaptionRow(f"pictur-{n}.png", "x", n + 1) for n in range(2_000)]
    rows.append(CaptionRow("picture-2000.png", "x", 2_001))
    _, findings = match_rows(rows, Lookup(images), file="c.csv")
    assert len(findings) == 2_000
    proposals = [finding for finding in findings if (finding.hint or "").startswith("did you mean")]
    assert 20 <= len(proposals) <= 200
    assert proposals[0] == findings[0]


# -- captions


def test_a_caption_that_placeholders_blow_up_is_refused_before_it_is_made() -> None:
    """Two hundred thousand placeholders, two hundred characters each."""
    composer = Composer(spec_from({"trigger": "K" * 200}))
    with pytest.raises(CaptionTooLong):
        composer.compose("[trigger]" * 200_000, "a.png")
    assert composer.fill("[trigger]" * 100) == "K" * 20_000


def test_a_caption_has_a_longest_length() -> None:
    """One of megabytes is named, and has no caption; the others have theirs."""
    images = [FileEntry(f"{n}.png", f"{n}.png", 1, 1, 1) for n in range(3)]
    raws: Any = {
        "0.png": tables_raw("a fox"),
        "1.png": tables_raw("x " * LONGEST_CAPTION),
        "2.png": tables_raw("an owl"),
    }
    found = caption_pictures(
        spec_from({}), images, {f"{n}.png": facts_of(f"{n}.png") for n in range(3)}, Gathered(raws)
    )
    assert [picture.caption for picture in found.pictures] == ["a fox", None, "an owl"]
    assert [finding.code for finding in found.findings] == ["T08"]
    assert "1.png" in found.findings[0].what


def tables_raw(text: str) -> Any:
    from scenario_apply.dataset.captions.matching import Raw

    return Raw(text, "a.txt", 1)


def test_all_captions_of_a_dataset_have_a_size_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long prefix stands in each of thousands of captions."""
    monkeypatch.setattr("scenario_apply.dataset.assemble._MOST_CHARACTERS", 1_000_000)
    images = [FileEntry(f"{n}.png", f"{n}.png", 1, 1, 1) for n in range(1_000)]
    spec = spec_from({"prefix": "x " * 5_000, "caption": "a fox"})
    found = caption_pictures(spec, images, {image.file: facts_of(image.file) for image in images}, Gathered())
    assert [finding.code for finding in found.findings] == ["T08"]
    assert "together" in found.findings[0].what
    assert sum(len(picture.caption or "") for picture in found.pictures) < 1_100_000


# -- lint


def test_captions_are_compared_pair_by_pair_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand captions make four and a half million pairs, a hundred make five thousand."""
    compared = 0
    pairs = itertools.combinations

    def counted(items: Any, size: int) -> Any:
        nonlocal compared
        for pair in pairs(items, size):
            compared += 1
            yield pair

    monkeypatch.setattr(lint_captions, "combinations", counted)
    list(lint_captions.too_close(subject_of([f"{n}a {n}b {n}c" for n in range(100)])))
    assert compared == 4_950
    compared = 0
    list(lint_captions.too_close(subject_of([f"{n}a {n}b {n}c" for n in range(5_000)])))
    assert compared < 3_000_000


def test_similar_captions_are_one_finding() -> None:
    """The first of them is named, and how many are like it."""
    same = [f"a red fox sits in deep snow beside the frozen river at dusk {n}" for n in range(4)]
    (found,) = lint_captions.too_close(subject_of([*same, "an owl on a dark branch"]))
    assert found.what == "3 captions are nearly identical to the caption of 0.png"
    assert found.hint == "describe what differs between the images"
    assert found.file == "1.txt"


def test_letter_pairs_are_compared_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captions that share their words and not their letters pass the quick look, each pair of them."""
    monkeypatch.setattr(lint_captions, "_MOST_LETTER_PAIRS", 100_000)
    looked = 0
    letters = lint_captions._LetterPairSets.of

    def counted(known: Any, text: str) -> Any:
        nonlocal looked
        looked += 1
        return letters(known, text)

    monkeypatch.setattr(lint_captions._LetterPairSets, "of", counted)
    shared = " ".join("abcdefghij")
    captions = [f"{shared} {''.join(chr(0x400 + (n * 31 + i * 7) % 900) for i in range(800))}" for n in range(300)]
    list(lint_captions.too_close(subject_of(captions)))
    assert 0 < looked < 1_000


def test_a_phrase_that_captions_share_is_counted_not_searched() -> None:
    """A caption of ten thousand pieces among hundreds; the one they share is found."""
    captions = [", ".join([f"w{n}x{i}" for i in range(2_000)] + ["a red cloak"]) for n in range(60)]
    found = [finding.what for finding in lint_phrases.shared_phrase(subject_of(captions))]
    assert found == ["60 of 60 captions contain 'a red cloak'"]


def test_pictures_are_compared_pair_by_pair_only_so_often() -> None:
    """Twenty thousand would make two hundred million pairs, with a look at the colours of each that are alike."""
    looks = 0

    def difference(one: str, other: str, *, mirrored: bool = False) -> lint_duplicates.ColourGap:
        nonlocal looks
        looks += 1
        return lint_duplicates.ColourGap(0.0, 0)

    subject = subject_of(["x"] * 5_000)
    alike = tuple(p._replace(facts=p.facts._replace(hashes="0" * 64)) for p in subject.pictures)
    from msgspec.structs import replace

    found = list(lint_duplicates.near(replace(subject, pictures=alike), difference))
    assert 100 < looks <= 1_000
    assert len(found) == looks


def test_messages_are_short_and_few() -> None:
    """A pattern of a hundred thousand signs is not printed, nor are a hundred thousand notes of one kind."""
    subject = subject_of(["x"] * 5)
    found = lint(subject, [Finding("C04", "x" * 100_000, "a", 1, "y" * 100_000)] * 100_000)
    assert sum(finding.code == "C04" for finding in found) == 101
    assert all(len(finding.what) < 500 and len(finding.hint or "") < 500 for finding in found)


def test_messages_about_captions_are_few_too_when_the_captions_were_checked_before() -> None:
    """Of each kind a hundred, with the number of the others, whichever rule found them."""
    subject = subject_of([""] * 150)
    before = [Finding("C03", "the table has an empty row")] * 10
    found = lint(subject, before)
    assert [finding.what for finding in found if finding.code == "C03"][-1] == "... and 60 more of this kind"
    assert found == lint(subject, before, texts=lint_texts(subject))


SLOW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from tests.dataset.test_dataset_bounds import subject_of
from scenario_apply.dataset.lint.lint import lint
from scenario_apply.dataset.captions.tables import read_table
UNIT = {
    "dollars": "${" * 75_000, "braces": "{{" * 75_000, "statements": "{%" * 75_000, "loras": "<lora:" * 25_000,
    "brackets": "(a" * 75_000, "pipes": "{a|" * 50_000, "stars": "**a" * 50_000, "words": "a" * 150_000,
    "dashes": "a-" * 75_000, "commas": "," * 150_000, "tags": "a_b," * 37_500, "tokens": "<|a_" * 37_500,
    "numbers": "(a:1" * 37_500, "locations": "<loc_1" * 25_000, "distinct": " ".join(map(str, range(22_500))),
    "squares": "[a" * 75_000, "entities": "&#1" * 50_000,
}[sys.argv[1]]
captions = [UNIT + " TOK [ stunning ( " + str(n) for n in range(2)]
lint(subject_of(captions))
lint(subject_of(captions, trigger="KAEL_07"))
read_table("k: {\\n" + "a" + " " * 75_000 + "b" + " " * 75_000 + "\\n", file="c.yaml")
"""


@pytest.mark.parametrize(
    "unit",
    [
        *("dollars", "braces", "statements", "loras", "brackets", "pipes", "stars", "words", "dashes", "commas"),
        *("tags", "tokens", "numbers", "locations", "distinct", "squares", "entities"),
    ],
)
def test_no_caption_is_searched_in_every_way(unit: str) -> None:
    """Patterns that look for an end from every beginning take minutes each; the limit is 30 s of CPU for all."""
    command = [sys.executable, "-c", SLOW, unit]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
