"""dataset.captions.tables and yaml_map: captions kept in one file."""

from __future__ import annotations

import pytest
import yaml

from scenario_apply.dataset.captions.tables import caption_rows, read_table


def read(name: str, text: str) -> tuple[dict[str, str], list[tuple[str, int | None]]]:
    rows, findings = caption_rows(read_table(text, file=name), file=name)
    return {row.key: row.text for row in rows}, [(finding.code, finding.line) for finding in findings]


@pytest.mark.parametrize(
    ("name", "text", "captions"),
    [
        ("c.yaml", "a.png: no\nb: 007\nc: 1e-4\nd: null\ne: 2024-01-01\n'f': 'x: y'\n",
         {"a.png": "no", "b": "007", "c": "1e-4", "d": "null", "e": "2024-01-01", "f": "x: y"}),
        ("c.yaml", "a.png: >\n  two\n  lines\nb.png: {caption: fox, tags: red}\n", {"a.png": "two lines\n",
          "b.png": "fox, red"}),
        ("c.json", '{"a.png": "fox", "b.png": {"caption": "owl", "tags": "night, tree"}, "c": ["one"]}',
         {"a.png": "fox", "b.png": "owl, night, tree", "c": "one"}),
        ("c.json", '[{"file_name": "a.png", "text": "fox"}]', {"a.png": "fox"}),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox"}\n\n{"image_path": "b.png", "caption": "owl", "n": 1}\n',
         {"a.png": "fox", "b.png": "owl"}),
        ("m.csv", 'file_name,text\na.png,"fox, red"\n', {"a.png": "fox, red"}),
        ("m.csv", "image;caption\na.png;fox, red\n", {"a.png": "fox, red"}),
        ("m.tsv", "file\tprompt\na.png\tfox\n", {"a.png": "fox"}),
    ],
)  # fmt: skip
def test_every_usual_form_is_read(name: str, text: str, captions: dict[str, str]) -> None:
    assert read(name, text)[0] == captions


@pytest.mark.parametrize(
    ("name", "text", "findings"),
    [
        ("c.yaml", "a: one\nb: two\na: three\n", [("C17", 3)]),
        ("c.yaml", "a: &x one\nb: *x\n", [("C18", 2)]),
        ("c.yaml", 'a: "\\ud83d"\n', [("C18", 1)]),
        ("c.json", '{"a": "\\ud83d fox", "b": "\\ud83e\\udd8a"}', [("C18", 1)]),
        ("c.jsonl", '{"file_name": "a", "text": "fox"}\n{"file_name": "\\udce9", "text": "owl"}\n', [("C18", 2)]),
        ("c.yaml", "a: {trigger}\n", [("C18", 1)]),
        ("c.yaml", "- a\n", [("C18", 1)]),
        ("c.yaml", "a:\n\t- b\n", [("C18", 2)]),
        ("c.yaml", "a: " + "[" * 40 + "]" * 40, [("C18", 1)]),
        ("c.json", '{"a": "x",\n "a": "y"}', [("C17", 2)]),
        ("c.json", "[" * 100_000, [("C18", 1)]),
        ("c.json", '"text"', [("C18", 1)]),
        ("m.jsonl", "[1]\n", [("C18", 1)]),
        ("m.csv", "", [("C18", 1)]),
        ("m.csv", "file_name,text\na.png,fox,red\n", [("C18", 2)]),
        ("m.csv", 'file_name,text\na.png,"fox\n', [("C18", 2)]),
        ("m.csv", "file_name,text\na.png,fox\na.png,owl\n", [("C17", 3)]),
        ("c.xml", "<a/>", [("C18", None)]),
    ],
)
def test_what_is_wrong_is_placed(name: str, text: str, findings: list[tuple[str, int | None]]) -> None:
    assert read(name, text)[1] == findings


@pytest.mark.parametrize(
    "nested", ["[" * 9000, "{a: " * 9000, "\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 2000))]
)
@pytest.mark.parametrize("with_libyaml", [True, False])
def test_a_nested_yaml_table_is_refused_in_the_same_words_by_any_parser(
    nested: str, with_libyaml: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libyaml 0.2.6 has a limit of its own, which it meets before the reader meets ours."""
    if not with_libyaml:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    text = f"a.png: fox\nb.png: {nested}"
    line = 8 if nested.startswith("\n") else 2
    table = read_table(text, file="c.yaml")
    assert [(finding.what, finding.line) for finding in table.findings] == [
        ("nested too deeply for a captions file", line)
    ]


@pytest.mark.parametrize("name", ["c.json", "c.jsonl"])
@pytest.mark.parametrize("nested", ["[" * 900_000, '{"a":' * 900_000])
def test_a_nested_json_table_is_refused(name: str, nested: str) -> None:
    """Without a traceback, and in words."""
    table = read_table(nested, file=name)
    assert [finding.code for finding in table.findings] == ["C18"]
    assert "nested too deeply" in table.findings[0].what
