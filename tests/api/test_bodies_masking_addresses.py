"""bodies.py, masking.py and addresses.py."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.api.masking import Mask, basic_credentials
from scenario_apply.api.request_bodies import PIECE_SIZE, PlainBody, bare_base64_body, data_url_body, json_body
from scenario_apply.api.urls import host_of, segment
from scenario_apply.errors import ApiError
from tests.fakes.odd_ids import ODD_IDS


@given(
    name=st.text(),
    size=st.sampled_from([0, 1, 2, 3, 100, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 3 * PIECE_SIZE + 2]),
)
def test_a_picture_body_is_json_of_the_promised_length(name: str, size: int) -> None:
    name = name.encode("utf-8", "replace").decode()  # JSON holds no lone surrogates
    picture = bytes(i % 251 for i in range(size))
    for body, key, start in (
        (data_url_body(name=name, mime="image/webp", picture=picture), "data", "data:image/webp;base64,"),
        (bare_base64_body(name=name, picture=memoryview(picture)), "image", ""),
    ):
        sent = b"".join(body)
        assert len(sent) == len(body)
        assert b"".join(body) == sent, "a second attempt sends the same"
        value = json.loads(sent)
        assert value["name"] == name
        assert value[key].startswith(start)
        assert b64decode(value[key].removeprefix(start), validate=True) == picture


@given(st.binary(max_size=300_000))
def test_a_plain_body_is_its_bytes(content: bytes) -> None:
    assert b"".join(PlainBody(content)) == content
    assert len(PlainBody(memoryview(content))) == len(content)


def test_json_keeps_letters_as_they_are() -> None:
    assert b"".join(json_body({"description": "KÄL 🐉"})) == '{"description":"KÄL 🐉"}'.encode()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key api_1234567890 here", "api_1234567890"),
        ("secret p%40ss%2Fword%3D1 here", "p%40ss%2Fword%3D1"),
        ("secret p@ss/word=1 here", "p@ss/word=1"),
        ("Authorization: Basic QWxhZGRpbjpvcGVu", "QWxhZGRpbjpvcGVu"),
        ("authorization: bearer abc.def.ghi", "abc.def.ghi"),
        ("PUT https://s3.example/a/b.png?X-Amz-Signature=f00&X-Amz-Date=1 failed", "f00"),
        ("Max retries exceeded with url: /a/b.png?X-Amz-Signature=f00 (Caused", "f00"),
        ("see (https://s3.example/a?x=(1)&token=f00).", "f00"),
        ("is it so?/really?https://s3.example/a?sig=f00", "f00"),
        ("https://me:hunter2@proxy.example:3128 refused", "hunter2"),
    ],
)
def test_secrets_are_hidden_in_any_text(text: str, hidden: str) -> None:
    mask = Mask(("api_1234567890", "p@ss/word=1"))
    assert hidden not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize("part", ["/", "https://a", "/a?", "https://a?b", "?", "/?signature"])
def test_a_long_text_is_masked_in_one_pass(part: str) -> None:
    """300 kB; a search that began again at every slash would take a quarter of an hour."""
    Mask(("api_1234567890",))(part * (300_000 // len(part)))


def test_what_surrounds_a_hidden_query_stays() -> None:
    assert Mask()("(see https://a.example/b?c=1), and is/that?") == "(see https://a.example/b?***), and is/that?"


def test_short_secrets_do_not_garble_sentences() -> None:
    mask = Mask(("k", "", "test1"))
    assert mask("kernel test1 test12") == "kernel *** test12"


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert "\x1b" not in Mask()("a\x1b[2Jb")


def test_credentials_are_basic() -> None:
    assert basic_credentials("k", "s") == "Basic azpz"
    with pytest.raises(ValueError, match="ASCII"):
        basic_credentials("k", "ß")


@given(st.from_regex(r"\A[A-Za-z0-9_.-]{1,128}\Z").filter(lambda t: t not in (".", "..")))
def test_an_id_is_one_segment_as_it_is(value: str) -> None:
    assert segment("a model", value) == value


@pytest.mark.parametrize("odd", ODD_IDS)
def test_what_cannot_be_a_segment_is_refused(odd: str) -> None:
    with pytest.raises(ApiError, match="no id of a model"):
        segment("a model", odd)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example/v1?secret=1", "api.example"),
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("https://u:p@api.example/", "api.example"),
        ("/login", "the same host"),
        ("http://[", "an address that cannot be read"),
    ],
)
def test_a_host_for_a_message(url: str, host: str) -> None:
    assert host_of(url) == host


def test_an_answer_is_read_without_the_secrets_that_were_sent() -> None:
    """However JSON spells them. One that is short could be part of an id: only messages hide it."""
    mask = Mask(["api_key_12345"], sent=['hunter2é"2', "short"])
    for spelled in (r"hunter2é\"2", r"hunter2\u00e9\"2"):
        assert mask.hide_echoes(f'{{"a": "x{spelled}y"}}'.encode()) == b'{"a": "x***y"}'
    assert mask.hide_echoes(b"api_key_12345 short") == b"api_key_12345 short"
    assert mask.hide("a short word") == "a *** word"
