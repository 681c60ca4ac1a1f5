"""manifest.secret_detection: lines of a file are quoted without the values of secrets."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.secret_detection import without_secret_values

NAMES = ["wandbKey", "WANDB_API_KEY", "apiKey", "access-key", "Secret", "TOKEN", "passwd", "dbPassword"]
OTHER_CASES = ["\u017fecret", "pa\u017f\u017fword", "to\u212aen", "api_\u212aEY"]  # the long s and the sign of Kelvin


@pytest.mark.parametrize("name", NAMES + OTHER_CASES)
def test_the_value_of_a_secret_is_masked_whatever_the_case_of_its_name(name: str) -> None:
    line = f"  {name}: hunter2-and-more # a note"
    shown = without_secret_values(line)
    assert "hunter2" not in shown
    assert len(shown) == len(line)


@pytest.mark.parametrize("line", ["name: Kael", "tokens: {{ env.X }}", "key: true", "a line about a secret", ""])
def test_lines_without_a_secret_are_quoted_as_they_are(line: str) -> None:
    assert without_secret_values(line) == line
