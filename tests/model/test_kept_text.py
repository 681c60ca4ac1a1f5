"""model/kept_text.py: what a service makes of texts and numbers by itself, told from what people change."""

from __future__ import annotations

import struct

import pytest

from scenario_apply.model.kept_text import (
    is_cut_tag,
    is_kept_form,
    is_kept_name,
    is_same_but_for_signs,
    is_same_file_name,
    is_same_tag,
    is_same_text,
    is_same_value,
    may_be_kept_of,
)

LONG = "KAEL_07, a long and winding sentence about a ranger"


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("a  hooded\tranger\n", "a hooded ranger"),
        ("Green hood.\r\nBow.\r\n", "Green hood.\nBow."),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u00a0cape", "a cape"),
        ("a\u200b cape\ufeff", "a cape"),
        (LONG, LONG[:30]),
        (LONG, LONG[:24].strip() + "..."),
        (LONG, LONG[:20] + "\u2026"),
    ],
)
def test_what_a_service_makes_of_a_text_is_the_same_text(sent: str, held: str) -> None:
    """Blanks, line ends, Unicode forms, invisible characters; a text that ends within a word was cut."""
    assert is_kept_form(sent, held)


@pytest.mark.parametrize(
    "held",
    [
        "KAEL_07, a long and winding sentence",
        LONG + " at dusk",
        LONG.replace("ranger", "Ranger"),
        LONG.lower(),
        "KAEL_07",
        "",
        "somebody wrote this",
    ],
)
def test_what_people_do_to_a_text_is_a_change(held: str) -> None:
    """Also where it only became shorter: people end a text after a word."""
    assert not is_kept_form(LONG, held)


SIGNS = "KAEL_07, a \u201ccool\u201d ranger & his dog \U0001f415 \u2014 at dusk."


@pytest.mark.parametrize(
    "held",
    [
        SIGNS.replace("&", "&amp;").replace("\u201c", "&quot;").replace("\u201d", "&#x27;"),
        SIGNS.replace("\u201c", '"').replace("\u201d", '"').replace("\u2014", "-"),
        SIGNS.replace(" \U0001f415", ""),
        SIGNS.rstrip("."),
        SIGNS.replace(", ", ","),
    ],
)
def test_signs_are_no_words(held: str) -> None:
    """Escaped, straightened, dropped: the words are the same."""
    assert is_same_but_for_signs(SIGNS, held)
    assert may_be_kept_of(SIGNS, held.capitalize())


@pytest.mark.parametrize("held", [SIGNS.replace("_", " "), SIGNS.replace("his", "a"), SIGNS.lower(), SIGNS[:20], ""])
def test_another_word_or_trigger_is_no_sign(held: str) -> None:
    assert not is_same_but_for_signs(SIGNS, held)
    assert not is_same_but_for_signs(held, SIGNS)
    assert not is_same_but_for_signs("", held or "x")


def test_where_nothing_says_what_was_kept_a_text_may_be_cut_anywhere_or_be_in_lower_case() -> None:
    assert may_be_kept_of(LONG, "KAEL_07, a long and winding sentence")
    assert may_be_kept_of(LONG, LONG.lower())
    assert not may_be_kept_of(LONG, "")
    assert not may_be_kept_of(LONG, "somebody wrote this")
    assert not may_be_kept_of("", "the service's own caption")


@pytest.mark.parametrize(
    ("sent", "held", "same"),
    [
        ("Quick Start", "quick start", True),
        ("Quick Start", "quick-start", True),
        ("hero", "heroes", False),
    ],
)
def test_tags_are_compared_without_case(sent: str, held: str, same: bool) -> None:
    assert is_same_tag(sent, held) is same


@pytest.mark.parametrize(
    ("held", "same"),
    [
        ("Kael the ranger of the n", True),
        ("kael the ranger of the north", True),
        ("kael-the-ranger-of-the-north", True),
        ("KAEL THE RANGER OF THE NORTH", True),
        ("Kael the ranger of the north (2)", False),
        ("Kael", False),
        ("Karl the", False),
        ("", False),
    ],
)
def test_a_new_object_is_recognised_by_a_cut_name(held: str, same: bool) -> None:
    """Of a few letters it is not: they may be anything's."""
    assert is_kept_name("Kael the ranger of the north", held) is same


def test_only_letters_and_digits_of_a_name_count() -> None:
    assert is_kept_name("Kae\u0301l & Co.", "Ka\u0301el &amp; Co"), "an entity has none"
    assert is_kept_name("Kae\u0301l & Co.", "kael co")
    assert is_kept_name("\U0001f98a", "\U0001f98a")
    assert not is_kept_name("\U0001f98a", "\U0001f43a")


def test_a_tag_may_be_cut() -> None:
    assert is_cut_tag("Quick start guide", "quick sta")
    assert not is_cut_tag("Quick start guide", "qui")


def test_files_are_recognised_in_another_case_or_form() -> None:
    assert is_same_file_name("Poses/Cafe\u0301.PNG", "poses/caf\u00e9.png")
    assert not is_same_file_name("01.png", "02.png")


def single(number: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", number))[0]
    return found


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (1e-4, single(1e-4)),
        (1e-4, "0.0001"),
        (1e-4, "1e-04"),
        (750, "750"),
        (750, 750.0),
        (True, 1),
        (True, "true"),
        (123456789, 123456792),
        (2**53 + 1, 2**53),
        ([0.8, 0.3], [single(0.8), "0.3"]),
        ("adamw  8bit", "adamw 8bit"),
    ],
)
def test_a_number_in_another_form_is_the_same_parameter(sent: object, held: object) -> None:
    """Single precision, text, a whole number that a double cannot hold."""
    assert is_same_value(sent, held)


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (1e-4, 2e-4),
        (1e-4, 1.001e-4),
        (10, 12),
        (10, "12"),
        (16777215, 16777214),
        (0.5, 0),
        (True, False),
        (10, None),
        ([1, 2], [1]),
        ("adamw", "lion"),
        (10**400, 1.0),
        (1e-4, "nan"),
    ],
)
def test_another_number_is_another_parameter(sent: object, held: object) -> None:
    assert not is_same_value(sent, held)


def test_plain_texts_are_compared_as_they_are() -> None:
    assert is_same_text("KAEL, front", "KAEL, front")
    assert not is_same_text("KAEL, front", "KAEL, Front")
