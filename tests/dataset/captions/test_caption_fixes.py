"""Caption files are repaired where that is safe: what is sent stays, and a second look finds nothing to repair."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.dataset.captions.caption_fixes import CaptionFixer, FixedFile, windows_text
from scenario_apply.model.fix_kinds import FIX_KINDS, KINDS_THAT_SEND_THE_SAME
from tests.dataset.build import spec_from


def fixed(data: bytes, *, file: str = "01.txt", kinds: tuple[str, ...] = FIX_KINDS, **spec: Any) -> FixedFile:
    found = CaptionFixer(spec_from({"trigger": "KAEL_07", **spec}), kinds).fixed(data, file=file)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("data", "after", "kinds"),
    [
        (b"KAEL_07, the ranger\x92s caf\xe9\n", "KAEL_07, the ranger’s café\n", ("encoding",)),
        ("a fox, café\n".encode("utf-16"), "a fox, café\n", ("encoding",)),
        (b"\xef\xbb\xbfa fox\r\n", "a fox\n", ("bom", "line-ends")),
        (b"a fox\rred\r\nslow", "a fox\nred\nslow", ("line-ends",)),
        (b" ,fox,, red , ,\n", " fox, red\n", ("commas",)),
        (b"fox, KAEL_07, red", "KAEL_07, fox, red", ("trigger",)),
        (b"red,, fox, KAEL_07,\n", "KAEL_07, red, fox\n", ("commas", "trigger")),
        (b"A fox in snow, KAEL_07.", "KAEL_07, A fox in snow.", ("trigger",)),
        (b"A fox in snow. KAEL_07\n", "KAEL_07, A fox in snow.\n", ("trigger",)),
    ],
)
def test_a_caption_file_is_repaired_once(data: bytes, after: str, kinds: tuple[str, ...]) -> None:
    found = fixed(data)
    assert (found.after.decode(), found.kinds) == (after, kinds)
    assert fixed(found.after).kinds == ()


@pytest.mark.parametrize(
    "text",
    [
        "KAEL_07, a fox\n",
        "  two  blanks stay \n\n",
        "KAEL_07 is red, KAEL_07, fox",  # twice
        "fox, XKAEL_07, red",  # another word
        "a fox,\nred and slow in the snow\n",  # joined with a blank, the comma is sent
        "no trigger at all",
    ],
)
def test_what_is_sound_stays_byte_for_byte(text: str) -> None:
    found = fixed(text.encode(), captions=None)
    assert (found.after, found.kinds, found.left) == (text.encode(), (), ())


def test_a_trigger_within_a_sentence_is_left_and_said() -> None:
    found = fixed(b"a photo of KAEL_07 at dusk")
    assert (found.kinds, found.left) == ((), ("KAEL_07 stands within a sentence",))


def test_a_trigger_is_not_moved_behind_a_prefix() -> None:
    assert fixed(b"fox, KAEL_07", prefix="best quality").kinds == ()


def test_only_the_wanted_kinds_are_repaired() -> None:
    data = b"\xef\xbb\xbffox,, KAEL_07\r\n"
    assert fixed(data, kinds=("commas",)).after == b"\xef\xbb\xbffox, KAEL_07\r\n"
    assert fixed(data, kinds=KINDS_THAT_SEND_THE_SAME).after == b"fox, KAEL_07\n"
    assert fixed(b"caf\xe9,, red", kinds=("commas",)).kinds == ()  # to write it is to choose an encoding


@pytest.mark.parametrize(
    ("file", "text", "after"),
    [
        ("c.yaml", 'a: fox, KAEL_07\r\nb: ", x,"\r\n', 'a: KAEL_07, fox\nb: "x"\n'),
        ("c.jsonl", '{"file": "a", "text": "x,, y"}\n', '{"file": "a", "text": "x, y"}\n'),
        ("c.csv", 'file,text\r\na,"x,, y"\r\n', 'file,text\r\na,"x, y"\r\n'),
        ("01.json", '{"caption": "x,, y", "by": ",,"}', '{"caption": "x, y", "by": ",,"}'),
    ],
)
def test_tables_are_repaired_byte_for_byte(file: str, text: str, after: str) -> None:
    assert fixed(text.encode(), file=file).after == after.encode()
    assert fixed(after.encode(), file=file).kinds == ()


@pytest.mark.parametrize("text", ["a: >\n  x,,\n  y\n", 'a: "x,, x,,"\n', "a: |\n  x,, y\n"])
def test_a_row_that_cannot_be_changed_byte_for_byte_is_left_and_said(text: str) -> None:
    found = fixed(text.encode(), file="c.yaml")
    assert (found.after == text.encode()) == bool(found.left)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("zielona sukienka kobiety dziewczynę, ładna pogoda", "cp1250"),
        ("лиса в снегу и красный плащ", "cp1251"),
        ("caf\u00e9 noir at dusk", "mac-roman"),
        ("una niña española camina por la calle larga", "cp1252"),  # the bytes may also be Polish
        ("狐 in the snow beside a red house", "shift-jis"),
    ],
)
def test_bytes_that_may_be_another_text_are_not_guessed(text: str, encoding: str) -> None:
    assert windows_text(text.encode(encoding)) is None


def test_a_declared_encoding_needs_no_guess() -> None:
    assert fixed("una niña".encode("cp1252"), encoding="cp1252").after.decode() == "una niña"
