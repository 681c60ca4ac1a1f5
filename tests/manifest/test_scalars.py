from __future__ import annotations

import pytest

from scenario_apply.manifest.yaml.scalars import NotANumber, plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E4", 1e4),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("007", 7),
        (".5", 0.5),
        ("1.", 1.0),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    """Numbers, booleans and null as YAML 1.2 reads them, with their types."""
    found = plain_scalar(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "Y",
        "2024-01-01",
        "12:30:45",
        "1_000",
        "0b101",
        "0o9",
        "0xZZ",
        "-",
        "+",
        ".",
        "1e",
        "nan",
    ],
)
def test_what_yaml_1_1_made_something_of_is_text(text: str) -> None:
    assert plain_scalar(text) == text


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".NaN", "1e999", "9" * 5000])
def test_numbers_that_cannot_be_sent_are_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        plain_scalar(text)
