"""model/address.py: names for life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.model.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("model.kael", Address("model", "kael")),
        ("composition.kael-in-ink", Address("composition", "kael-in-ink")),
        ("model.kael-lr/slow", Address("model", "kael-lr", "slow")),
        ("model.kael-lr/slow,r16", Address("model", "kael-lr", "slow,r16")),
        ("model.m/0.0001", Address("model", "m", "0.0001")),
        ("dataset._x", Address("dataset", "_x")),
    ],
)
def test_an_address_is_read_and_printed_the_same(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kael",
        "model.",
        "model.kael/",
        "model.kä",
        "Model.kael",
        "lora.kael",
        "model.kael.x",
        "model.-x",
        "model.k/a,",
    ],
)
def test_what_is_no_address_is_answered_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"model\.kael-lr/fast"):
        parse_address(text)


@given(
    kind=st.sampled_from(["model", "composition", "dataset"]),
    name=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,8}", fullmatch=True),
    label=st.from_regex(r"([A-Za-z0-9_.+-]{1,4}(,[A-Za-z0-9_.+-]{1,4})?)?", fullmatch=True),
)
def test_every_address_survives_its_text(kind: str, name: str, label: str) -> None:
    address = Address(kind, name, label)  # type: ignore[arg-type]  # one of the three
    assert parse_address(str(address)) == address


def test_addresses_sort_by_kind_name_and_label() -> None:
    texts = ["model.b", "model.a/y", "composition.z", "model.a/x", "model.a"]
    assert [str(a) for a in sorted(map(parse_address, texts))] == [
        "composition.z",
        "model.a",
        "model.a/x",
        "model.a/y",
        "model.b",
    ]


def test_an_address_names_an_environment_variable() -> None:
    assert parse_address("model.kael").env_name == "MODEL_KAEL"
    assert parse_address("model.kael-lr/slow,r16").env_name == "MODEL_KAEL_LR_SLOW_R16"
