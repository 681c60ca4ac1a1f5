"""manifest.yaml.invisible: a character that cannot be seen is named with its column, and only where it does harm."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.reader import read_yaml

NBSP, ZERO, WIDE, COLON = "\u00a0", "\u200b", "\u3000", "\uff1a"


def problems(text: str) -> list[tuple[str, int | None, int | None, str]]:
    report = Report()
    data = text.encode()
    read_yaml("m.yaml", data, report)
    found = [(p.code, p.location, p.message) for p in report.problems]
    return [(code, place.line, place.column, message) for code, place, message in found if place is not None]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (f"version: 1\nd:\n    images:{NBSP}./set\n", 3, 12),
        (f"version: 1\nd:\n    images:{ZERO}./set\n", 3, 12),
        (f"d:\n  images:{WIDE}./set\n  trigger: KAEL\n", 2, 10),
        (f"d:\n  images{COLON}./set\n", 2, 9),
        (f"d:\n  images{COLON} ./set\n  trigger: KAEL\n", 2, 9),
        (f"d:\n{NBSP}{NBSP}images: ./set\n", 2, 1),
        (f"d:\n  images: ./set\n{NBSP}{NBSP}trigger: KAEL\n", 3, 1),
        (f"d:\n  images{NBSP}: ./set\n", 2, 9),
        (f"d:\n  - {NBSP}a\n", 2, 5),
        (f"d:\n  -{NBSP}a\n  -{NBSP}b\n", 2, 4),
        (f"d: {{ images:{NBSP}./set, trigger: K }}\n", 1, 13),
        (f"d:\n  trigger: {NBSP}KAEL\n", 2, 12),
    ],
)
def test_it_is_named_where_it_stands(text: str, line: int, column: int) -> None:
    found = problems(text)
    assert found[0][:3] == ("odd-character", line, column)
    assert found[0][3].startswith("U+")


@pytest.mark.parametrize(
    "text",
    [
        f"d: a fox{NBSP}: red\n".replace(f"{NBSP}:", f"{NBSP}-"),
        f"d: il dit{NBSP}!\n",
        f"d: 'images:{NBSP}./set'\n",
        f'd: "{NBSP}KAEL"\n',
        f"d: |\n  {NBSP}indented text\n  key:{NBSP}value\n",
        f"Screenshot 1.00{NBSP}PM.png: a caption\n",
        "d: family \U0001f468\u200d\U0001f469\n",
        f"d: see http://x.y/a:{NBSP}b\n",
        f"# images:{NBSP}./set\nversion: 1\n",
        f"d: \u65e5\u672c{COLON}\u8a9e\n",
    ],
)
def test_in_text_it_is_text(text: str) -> None:
    assert not problems(text)
