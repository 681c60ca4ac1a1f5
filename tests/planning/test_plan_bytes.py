"""The bytes of a plan file are read within bounds; what is outside them is said."""

from __future__ import annotations

import pytest

from scenario_apply.planning.plan_bytes import DEEPEST, BadPlanBytes, plain_plan


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' twice"),
        (b'{"a": NaN}', "NaN, which is not a number"),
        (b'{"a": [-Infinity]}', "-Infinity, which is not a number"),
        (b'{"a": 1e999}', "1e999 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number of 5000 characters"),
        (b'{"a": 0.' + b"1" * 5000 + b"}", "a number of 5002 characters"),
        (b"[" * 100_000, "nested more than"),
        (b"[" * 100_000 + b"]" * 100_000, "nested more than"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "nested more than"),
        (b'{"a": "\\ud800"}', "not Unicode"),
        (b'{"\\udfff": 1}', "not Unicode"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a": ', "not JSON"),
        (b'{"a": 1} {', "not JSON"),
    ],
)
def test_what_is_out_of_bounds_is_said(content: bytes, said: str) -> None:
    with pytest.raises(BadPlanBytes) as raised:
        plain_plan(content)
    assert said in str(raised.value)


def test_a_plan_of_a_usual_depth_is_read_as_it_is() -> None:
    assert plain_plan(b'{"a": [{"b": 0.1, "c": "\\u00e9", "d": 12}]}') == {"a": [{"b": 0.1, "c": "é", "d": 12}]}
    assert plain_plan(b"[" * DEEPEST + b"]" * DEEPEST)


def test_many_keys_with_one_twice_take_no_square_of_the_time() -> None:
    """Counted, not timed: the keys of a map are gone through a fixed number of times."""
    keys = ",".join(f'"{number}": 1' for number in range(200_000))
    with pytest.raises(BadPlanBytes, match="'7' twice"):
        plain_plan(f'{{{keys}, "7": 2}}'.encode())
