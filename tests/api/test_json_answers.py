"""json_answers.py: a damaged text in an answer is replaced; what is cut off or no JSON stays refused."""

from __future__ import annotations

import pytest

from scenario_apply.api.exchange import Reply, Request, Safety
from scenario_apply.api.json_answers import read_json, utf8_of
from scenario_apply.api.transport import Transport
from scenario_apply.model.codec import Misfit
from tests.api import servers


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'{"name":"Fox \ud83d"}', {"name": "Fox \ufffd"}),
        (rb'{"name":"\ude00 Fox \ud83d\ude00"}', {"name": "\ufffd Fox \U0001f600"}),
        (rb'{"\ud83d":1}', {"\ufffd": 1}),
        (b'{"name":"Fox \xf0\x9f"}', {"name": "Fox \ufffd"}),
        (b'{"name":"a\tb"}', {"name": "a\tb"}),
        (b'{"loss":NaN,"most":Infinity,"least":-Infinity,"huge":1e400,"cost":5}', {
            "loss": None, "most": None, "least": None, "huge": None, "cost": 5,
        }),
    ],
)  # fmt: skip
def test_what_is_no_text_or_number_is_replaced_and_the_rest_is_read(content: bytes, value: object) -> None:
    assert read_json(content) == value


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"name":"Fox \\ud83', b'{"loss":NaN', b"[NaN] and more", b"<html>", b"[" * 100_000, b"NaN,"],
)
def test_what_is_cut_off_or_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(Misfit):
        read_json(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_answer_in_any_unicode_encoding_is_read(encoding: str) -> None:
    assert read_json(utf8_of('{"name":"Füchse"}'.encode(encoding))) == {"name": "Füchse"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_secret_is_hidden_in_every_encoding(encoding: str) -> None:
    """What a request carries is hidden in its answer, whatever encoding the answer has."""
    content = '{"echo":"hunter2-hunter2"}'.encode(encoding)
    with (
        servers.serving(servers.answering(content)) as base,
        Transport(base, "key", "secret", sent=["hunter2-hunter2"]) as transport,
    ):
        outcome = transport.exchange(Request(method="GET", path="/models", safety=Safety.READ, doing="list"))
    assert isinstance(outcome, Reply)
    assert read_json(outcome.content) == {"echo": "***"}
