"""model/codec.py: JSON and typed values, and one voice for what does not fit."""

from __future__ import annotations

import json
import subprocess
import sys

import orjson
import pytest
from msgspec import Struct

from scenario_apply.model import codec
from scenario_apply.model.address import Address
from scenario_apply.model.codec import Misfit
from scenario_apply.model.remote import ModelId
from scenario_apply.model.secret import Secret


class Part(Struct, frozen=True):
    id: ModelId
    scale: float = 1.0


class Whole(Struct, frozen=True):
    address: Address
    parts: dict[str, Part] = {}
    listed: tuple[Part, ...] = ()
    scores: dict[str, float] = {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark"),
        (b'{"a": "\xff"}', "it is not UTF-8 text"),
        (b'{"a": "\\ud800"}', "it is not JSON"),
        (b'{"a": "\\ud800\\u0041"}', "it is not JSON"),
        (b'{"a": NaN}', "it is not JSON"),
        (b'{"a": Infinity}', "it is not JSON"),
        (b'{"a": 1e999}', "the number is out of range"),
        (b"1" * 5000, "the number is out of range"),
        (b"[" * 200_000, "it is nested too deeply"),
        (b'{"a":' * 200_000, "it is nested too deeply"),
        (b"{} {}", "it is not JSON"),
        (b"{'a': 1}", "it is not JSON"),
        (b"<html>", "it is not JSON"),
    ],
)
def test_what_is_no_json_is_said_in_words(content: bytes, said: str) -> None:
    with pytest.raises(Misfit, match=said):
        codec.parsed(content)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ([], "expected an object, got a list"),
        ({}, "address: it is missing"),
        ({"address": 1}, "address: expected an address"),
        ({"address": "kael"}, "address: 'kael' is no address"),
        ({"address": "model.kael\n"}, "is no address"),
        ({"address": "model.kael", "parts": {"a": {"id": "x"}, "b": {}}}, 'parts["b"].id: it is missing'),
        (
            {"address": "model.kael", "parts": {"a": {"id": "x"}, "b": 1}},
            'parts["b"]: expected an object, got an integer',
        ),
        (
            {"address": "model.kael", "parts": {"b": {"id": "x\n"}}},
            'parts["b"].id: expected an id (1 to 128',
        ),
        (
            {"address": "model.kael", "listed": [{"id": "x", "scale": "1"}]},
            "listed[0].scale: expected a number, got text",
        ),
        ({"address": "model.kael", "listed": [{"id": ".."}]}, "listed[0].id: expected an id"),
        ({"address": "model.kael", "scores": {"a": 1, "b": True}}, 'scores["b"]: expected a number, got true or false'),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(plain: object, said: str) -> None:
    """The same from plain values and from bytes."""
    for read in (lambda: codec.fitted(plain, Whole), lambda: codec.decoded(json.dumps(plain).encode(), Whole)):
        with pytest.raises(Misfit) as caught:
            read()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_written_reads_back() -> None:
    whole = Whole(Address("model", "kael", "fast"), {"a": Part(ModelId("x"), 0.5)}, (Part(ModelId("y")),), {"b": 1.0})
    for content in (codec.line(whole), codec.document(whole), codec.compact(whole)):
        assert codec.decoded(content, Whole) == whole
    assert codec.fitted(codec.plain(whole), Whole) == whole
    assert codec.plain(whole)["address"] == "model.kael/fast"


def test_a_secret_is_masked() -> None:
    """Whatever is written, also deep inside."""
    value = {"parameters": {"wandbKey": Secret("hunter22"), "more": [Secret("hunter22")]}}
    for written in (codec.line(value), codec.document(value), codec.compact(value), repr(codec.plain(value)).encode()):
        assert b"hunter22" not in written
        assert written.count(b"(secret)") == 2


def test_a_document_is_sorted_and_indented() -> None:
    """The bytes that orjson wrote before, so that a first write by this release changes nothing."""
    value = {"b": [1, 2.5, [], {}, None, True], "a": {"d": "é☃\u2028/\n\x1f", "c": 1e-05}}
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    assert codec.document(value) == orjson.dumps(value, option=options)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, [[2**70]], {"a": [10**40]}])
def test_what_could_not_be_written_again_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="seed holds an integer"):
        codec.check_free_form({"seed": value})


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ValueError, match="nested"):
        codec.check_free_form({"seed": deep})


FIRST_USES = """
import sys, threading
from typing import Annotated
import msgspec
from scenario_apply.model import codec

sys.setswitchinterval(1e-6)
text = Annotated[str, msgspec.Meta(pattern="[a-z]+")]
for number in range(60):
    inner = msgspec.defstruct(f"Inner{number}", [("a", text), ("b", int | None, None)])
    parts = [("x", inner), ("y", tuple[inner, ...], ()), ("z", dict[str, inner], {})]
    outer = msgspec.defstruct(f"Outer{number}", parts)
    gate = threading.Barrier(4)

    def use():
        gate.wait()
        codec.fitted({"x": {"a": "abc"}, "y": [{"a": "b", "b": 1}], "z": {"k": {"a": "c"}}}, outer)
        codec.decoded(b'{"x": {"a": "abc"}}', outer)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_use_a_type_for_the_first_time_together() -> None:
    """Without a lock, msgspec shows one thread what another has built by half, and the interpreter crashes."""
    done = subprocess.run([sys.executable, "-c", FIRST_USES], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
