"""Tables get captions added byte for byte, or not at all."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.table_additions import with_captions

NEW = {"02.png": 'a "red" fox: no, 2 #foxes'}


@pytest.mark.parametrize(
    ("file", "text", "added"),
    [
        ("c.yaml", "# mine\n01.png: a fox", '\n"02.png": "a \\"red\\" fox: no, 2 #foxes"\n'),
        (
            "c.jsonl",
            '{"image": "01.png", "caption": "a"}\n',
            '{"image": "02.png", "caption": "a \\"red\\" fox: no, 2 #foxes"}\n',
        ),
        ("c.csv", "file;text;by\r\n01.png;a;me\r\n", '02.png;"a ""red"" fox: no, 2 #foxes";\r\n'),
        ("c.csv", "file_name,text\n01.png,a", '\n02.png,"a ""red"" fox: no, 2 #foxes"\n'),
    ],
)
def test_captions_are_added_below_what_is_there(file: str, text: str, added: str) -> None:
    assert with_captions(text, NEW, file=file) == text + added


def test_a_json_map_gets_members() -> None:
    longer = with_captions('{"01.png": "a"}\n', NEW, file="c.json")
    assert longer == '{"01.png": "a",\n  "02.png": "a \\"red\\" fox: no, 2 #foxes"\n}\n'


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("c.yaml", "{01.png: a}\n"),  # a flow map cannot be continued below
        ("c.yaml", "- {file: 01.png, text: a}\n"),
        ("c.yaml", "01.png: a\n...\n"),
        ("c.json", '[{"file": "01.png", "text": "a"}]'),
        ("c.csv", "name,words\n01.png,a\n"),
        ("c.csv", 'file,text\n01.png,"open\n'),
        ("c.yaml", '"02.png": ""\n'),  # it has a row already
        ("c.parquet", ""),
    ],
)
def test_what_cannot_be_extended_safely_is_left(file: str, text: str) -> None:
    assert with_captions(text, NEW, file=file) is None
