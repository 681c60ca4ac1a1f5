"""dataset.captions.decode: bytes of caption files -> text."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.decode import decode
from scenario_apply.model.lint_rules import Finding

CAFE = "a café table, the señor’s hat"


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (CAFE.encode(), "utf-8", CAFE),
        (CAFE.encode("utf-8-sig"), "cp1252", CAFE),
        (CAFE.encode("utf-16"), "utf-8", CAFE),
        (b"\xfe\xff" + CAFE.encode("utf-16-be"), "cp1252", CAFE),
        (CAFE.encode("utf-16-le"), "utf-8", CAFE),
        (CAFE.encode("utf-16-be"), "utf-8", CAFE),
        (CAFE.encode("utf-16-be"), "utf-16", CAFE),
        ("кот на окне".encode("utf-16-le"), "utf-8", "кот на окне"),
        (CAFE.encode("utf-32"), "utf-8", CAFE),
        (CAFE.encode(), "utf-16", CAFE),
        ("\ufeff\ufeff\ufeffa fox".encode(), "utf-8", "a fox"),
        (CAFE.encode("cp1252"), "cp1252", CAFE),
        (CAFE.encode(), "cp1252", CAFE),
        (CAFE.encode(), "latin-1", CAFE),
        ("кот".encode(), "cp1251", "кот"),
        ("кот".encode("cp1251"), "cp1251", "кот"),
        ("写真".encode(), "shift_jis", "写真"),
        ("写真".encode("shift_jis"), "shift_jis", "写真"),
        ("联通".encode("gbk"), "gbk", "联通"),  # valid UTF-8 by accident
        ("写真".encode("iso2022_jp"), "iso2022_jp", "写真"),
        (b"plain", "cp1252", "plain"),
        (b"", "cp1252", ""),
    ],
)
def test_a_file_is_read_in_the_encoding_that_it_has(data: bytes, encoding: str, text: str) -> None:
    assert decode(data, file="a.txt", encoding=encoding) == text


def test_each_line_of_a_table_keeps_its_own_encoding() -> None:
    """One row that was added on Windows does not spoil the others."""
    data = "01.png,café\r\n".encode() + "02.png,señor\r\n".encode("cp1252") + b"03.png,fox\r\n"
    assert decode(data, file="m.csv", encoding="cp1252") == "01.png,café\r\n02.png,señor\r\n03.png,fox\r\n"


@pytest.mark.parametrize(
    ("data", "encoding", "code", "line"),
    [
        (b"a fox\nsnow\x92s end", "utf-8", "C06", 2),
        (b"a fox in snow\0", "utf-8", "C06", None),
        (b"a\0\0\0b\0\0\0", "utf-8", "C06", None),
        (b"snow\x81", "cp1252", "C06", 1),
        (b"a fox", "rot13", "C06", None),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 48\n", "utf-8", "C18", None),
        (b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n", "utf-8", "C18", 1),
        ("fox\n=======\n".encode("utf-16"), "utf-8", "C18", 2),
    ],
)
def test_what_is_no_caption_is_refused_at_its_line(data: bytes, encoding: str, code: str, line: int | None) -> None:
    found = decode(data, file="a.txt", encoding=encoding)
    assert isinstance(found, Finding)
    assert (found.code, found.line) == (code, line)
    assert found.hint


@pytest.mark.parametrize("encoding", ["shift_jis", "gbk", "cp1251"])
def test_the_advice_for_windows_text_is_not_given_to_text_in_another_script(encoding: str) -> None:
    """It would be read as rubbish."""
    text = "красная шляпа" if encoding == "cp1251" else "赤い帽子" if encoding == "shift_jis" else "红色的帽子"
    found = decode(text.encode(encoding), file="a.txt", encoding="utf-8")
    assert isinstance(found, Finding)
    assert "cp1252" not in str(found.hint)
    assert "encoding: shift_jis" in str(found.hint)


def test_the_advice_for_windows_text_is_not_given_to_a_file_with_a_byte_order_mark() -> None:
    """The mark decides, so `encoding:` would change nothing."""
    found = decode(b"\xef\xbb\xbfsnow\x92s end", file="a.txt", encoding="utf-8")
    assert isinstance(found, Finding)
    assert found.hint == "save the file as UTF-8"
