"""The document of an HTTP state server: a state, and open calls beside its keys."""

from __future__ import annotations

import json

import pytest

from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.state.stores.remote.http_document import closed, digest_of, opened

STATE = codec.document({"format_version": "1.0", "lineage": "l", "resources": {}, "serial": 3})


def test_a_state_without_calls_is_sent_as_it_is() -> None:
    assert closed(STATE, {}, above=2) == (STATE, 3)
    assert opened(STATE, "x").state == STATE


def test_calls_go_in_and_come_out_again() -> None:
    content, serial = closed(STATE, {"c-1": '{"é": "\\n"}'}, above=3)
    found = opened(content, "x")
    assert (serial, found.serial, found.calls) == (4, 4, {"c-1": '{"é": "\\n"}'})
    assert found.state == STATE.replace(b"3", b"4")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"\xff", b"<<<<<<< ours", b"[" * 5000])
def test_what_is_no_state_is_left_for_the_reader_of_states(content: bytes) -> None:
    assert opened(content, "x").state == content
    with pytest.raises(Misfit):
        closed(content, {"c": "{}"}, above=0)


def test_a_document_of_another_hand_comes_as_it_is() -> None:
    """The reader of states finds keys that stand twice; once written, the calls are there once."""
    content = b'{"serial": 1, "format_version": "1.0", "lineage": "l", "lineage": "m", "open_calls": {"c": "{}"}}'
    found = opened(content, "x")
    assert (found.state, found.calls) == (content, {"c": "{}"})
    assert json.loads(closed(content, {}, above=1)[0]) == {"serial": 2, "format_version": "1.0", "lineage": "m"}


def test_numbers_of_any_length_pass() -> None:
    content = b'{"serial": 1, "x": ' + b"9" * 400 + b"}"
    assert opened(content, "x").state == content
    assert digest_of(content) != digest_of(STATE)


def test_the_digest_does_not_depend_on_the_layout() -> None:
    assert digest_of(json.dumps(json.loads(STATE)).encode()) == digest_of(STATE)
    assert digest_of(b"{ ") != digest_of(b"{")
    assert digest_of(None) == ""
