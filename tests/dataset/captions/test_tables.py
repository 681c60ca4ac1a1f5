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
        ("m.csv", "file_name|text\na.png|fox, red\n", {"a.png": "fox, red"}),
        ("m.csv", "File Name,Caption\na.png,fox\n", {"a.png": "fox"}),
        ("m.csv", "\ufeffFILENAME,PROMPT\r\na.png,fox\r\n", {"a.png": "fox"}),
        ("m.csv", ",file_name,text\n0,a.png,fox\n1,b.png,owl\n", {"a.png": "fox", "b.png": "owl"}),
        ("m.csv", "file_name,text,,\na.png,fox,,\n,,,\n\nb.png,owl,,,,\n", {"a.png": "fox", "b.png": "owl"}),
        ("m.csv", "\n,\nfile_name,text\na.png,fox\n,\n", {"a.png": "fox"}),
        ("m.csv", 'file_name, text\na.png, "fox, red"\nb.png,  "owl" \n', {"a.png": "fox, red", "b.png": "owl"}),
        ("m.csv", "sep=;\nfile_name;text\na.png;fox, red\n", {"a.png": "fox, red"}),
        ("m.csv", "file_name,text,caption\na.png,,fox\n", {"a.png": "fox"}),
        ("m.csv", "file_name,score,score,text\na.png,1,2,fox\n", {"a.png": "fox"}),
        ("m.csv", "file_name,tags\na.png,\"['fox', 'red']\"\n", {"a.png": "fox, red"}),
        ("m.jsonl", '{"fileName": "a.png", "Text": "fox"}\r\n{"image-path": "b.png", "PROMPT": "owl"}\r\n',
         {"a.png": "fox", "b.png": "owl"}),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox\u2028red\x85one"}\n{}\n', {"a.png": "fox\u2028red\x85one"}),
        ("m.jsonl", '{"file_name": "a.png", "text": ["fox"]}\n', {"a.png": "fox"}),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox", "tags": ["red", "", "small "]}\n',
         {"a.png": "fox, red, small"}),
        ("m.jsonl", '{"file_name": "a.png", "tags": "fox, red"}\n{"file_name": "b.png", "tags": ["owl", "grey"]}\n',
         {"a.png": "fox, red", "b.png": "owl, grey"}),
        ("m.jsonl", '{"file_name": "a.png", "text": "", "tags": ["fox"]}\n', {"a.png": "fox"}),
        ("m.jsonl", ' [\n{"file_name": "a.png", "text": "fox"},\n{"file_name": "b.png", "text": "owl"}\n]\n',
         {"a.png": "fox", "b.png": "owl"}),
        ("c.json", '{"file_name": "a.png", "text": "fox"}\n{"file_name": "b.png", "text": "owl"}\n',
         {"a.png": "fox", "b.png": "owl"}),
        ("c.json", '{"images": [{"file_name": "a.png", "caption": "fox"}]}', {"a.png": "fox"}),
        ("c.json", '{"a": {"caption": "fox", "tags": ["red", "small"]}, "b": {"tags": ["owl", "grey"]}}',
         {"a": "fox, red, small", "b": "owl, grey"}),
        ("c.yaml", "- file_name: a.png\n  text: fox\n- {image: b.png, tags: [owl, grey]}\n",
         {"a.png": "fox", "b.png": "owl, grey"}),
        ("c.yaml", "a: {Caption: fox, tags: [red, small]}\nb:\n  tags:\n  - owl\n  - grey\n",
         {"a": "fox, red, small", "b": "owl, grey"}),
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
        ("m.csv", "file_name,text,text\na.png,fox,owl\nb.png,fox,owl\n", [("C18", 1)]),
        ("m.csv", "\nFile Name,file_name,text\na.png,b.png,owl\n", [("C18", 2)]),
        ("m.csv", "file_name,text,caption\na.png,fox,owl\nb.png,fox,owl\n", [("C17", 2)]),
        ("m.csv", "file_name,text,\na.png,fox, red\n", [("C18", 2)]),
        ("m.csv", "name,words\na.png,fox\nb.png,owl\n", [("C18", 1)]),
        ("m.csv", "a.png,a red fox\nb.png,an owl\n", [("C18", 1)]),
        ("m.csv", "file_name,text\n,fox\n", [("C18", 2)]),
        ("m.jsonl", '{"file_name": "a.png", "text": ["fox", "owl"]}\n', [("C07", 1)]),
        ("m.jsonl", '\n{"file_name": "a.png", "text": {"en": "fox"}}\n', [("C18", 2)]),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox", "tags": {"red": 0.9}}\n', [("C18", 1)]),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox", "text": "owl"}\n', [("C18", 1)]),
        ("m.jsonl", '{"file_name": "a.png", "text": "fox", "Text": "owl"}\n', [("C18", 1)]),
        (
            "c.json",
            '[{"file_name": "a.png", "text": "fox"},\n "owl",\n{"file_name": "b.png"}]',
            [("C18", 2), ("C18", 3)],
        ),
        ("c.json", '{"a":\n {"caption": "fox", "Caption": "owl"}}', [("C18", 1)]),
        ("c.yaml", "a: {caption: fox, caption: owl}\n", [("C17", 1)]),
        ("c.yaml", "a: é robot, model #7 of the line\nb: ok\n", [("C19", 1)]),
        ("c.yaml", "a: fox\nb: #2 of three\n", [("C19", 2)]),
        ("c.yaml", "a: fox # 2 of three\n", [("C19", 1)]),
        ("c.yaml", "a: {caption: a fox\t#sunset\n  }\n", [("C19", 1)]),
        ("c.yaml", "a: “a red fox”\nb: ‘the fox’s den’\nc: «owl»\n", [("C18", 1), ("C18", 2), ("C18", 3)]),
        ("c.yaml", "- file_name: a.png\n  text: fox\n- text: owl\n", [("C18", 3)]),
        ("c.yaml", "- file_name: a.png\n  text: a fox #2\n", [("C19", 2)]),
        ("c.yaml", "a: fox\n---\nb: owl\n", [("C18", 2)]),
    ],
)
def test_what_is_wrong_is_placed(name: str, text: str, findings: list[tuple[str, int | None]]) -> None:
    assert read(name, text)[1] == findings


@pytest.mark.parametrize(
    "text",
    [
        "a: a fox # checked by Ann\n",
        "a: a fox ## old\n",
        "a: 'robot #7'\nb: \"robot #7\"\nc: |\n  robot #7\nd: robot#7\n",
        "# 7 captions\na: fox\n",
        "a: “yes” and “no”\nb: “Hello,” said the fox\nc: '“OPEN”'\n",
        "---\na: fox\n---\n",
        "a: fox\n...\n",
    ],
)
def test_comments_and_quotes_that_are_meant_are_not_reported(text: str) -> None:
    assert read("c.yaml", text)[1] == []


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
