from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.manifest.positions import Map, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml import reader as yaml_reader
from scenario_apply.manifest.yaml.reader import read_yaml

TEXT = """\
version: 1
# a comment
models:
  kael:
    type: flux.1-lora   # a type
    tags: [hero, 'é small', "x"]
    parameters: { learningRate: 1e-4,
      rank: 16 }
"""


def read(text: str) -> tuple[Map, Report]:
    report = Report()
    found = read_yaml("a.yaml", text.encode(), report)
    assert found is not None, report.problems
    return found, report


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers: libyaml's, and PyYAML's own where that is missing."""
    if request.param == "python":
        monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    return str(request.param)


def test_every_key_and_value_knows_where_it_stands(parser: str) -> None:
    """Lines and columns as an editor counts them, also behind text that is not ASCII."""
    document, report = read(TEXT)
    kael = document["models"]["kael"]  # type: ignore[index,call-overload]  # the test knows the shape
    assert isinstance(kael, Map)
    assert str(report.place(kael.key_mark("type"))) == "a.yaml:5:5"
    assert str(report.place(kael.value_mark("type"))) == "a.yaml:5:11"
    tags = kael["tags"]
    assert isinstance(tags, Seq)
    assert [str(report.place(mark)) for mark in tags.marks] == ["a.yaml:6:12", "a.yaml:6:18", "a.yaml:6:29"]
    parameters = kael["parameters"]
    assert isinstance(parameters, Map)
    assert str(report.place(parameters.value_mark("rank"))) == "a.yaml:8:13"
    assert report.place(parameters.value_mark("rank")).text == "      rank: 16 }"


def test_merge_keys_and_aliases(parser: str) -> None:
    """<< takes over what is not given; an earlier map of a list wins; places are those of the origin."""
    document, report = read(
        "x-a: &a { rank: 8, seed: 1 }\nx-b: &b { rank: 16, nbEpochs: 2 }\n"
        "all: { <<: [*a, *b], seed: 3 }\nlist: [*a, *a]\n"
    )
    merged = document["all"]
    assert isinstance(merged, Map)
    assert merged == {"rank": 8, "nbEpochs": 2, "seed": 3}
    assert str(report.place(merged.value_mark("nbEpochs"))) == "a.yaml:2:31"
    assert document["list"] == [{"rank": 8, "seed": 1}] * 2
    assert not report.problems


def test_keys_are_text_whatever_they_look_like(parser: str) -> None:
    document, _ = read("007: a\nno: b\n1e-4: c\ntrue: d\n")
    assert list(document) == ["007", "no", "1e-4", "true"]


def test_quoted_and_tagged_scalars_keep_what_they_say(parser: str) -> None:
    document, report = read("a: '1'\nb: !!str 2\nc: !!float 3\nd: !!int 4\ne: ! 5\nf: |\n  text: 1\n")
    assert document == {"a": "1", "b": "2", "c": 3.0, "d": 4, "e": "5", "f": "text: 1\n"}
    assert isinstance(document["c"], float)
    assert not report.problems


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    report = Report()
    assert read_yaml("a.yaml", "\ufeffversion: 1\n".encode(), report) == {"version": 1}


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """A map, or problems: never another exception, whatever the file holds."""
    report = Report()
    found = read_yaml("a.yaml", data, report)
    assert found is not None or report.has_errors


@given(st.text(alphabet="ab: -\n\t{}[]&*!|>'\"#%@`?,<~01.e\\", max_size=60))
def test_no_text_of_yaml_signs_breaks_the_reader(text: str) -> None:
    report = Report()
    found = read_yaml("a.yaml", text.encode(), report)
    assert found is not None or report.has_errors


KEYS = st.text(alphabet="abcdefxyz019_", min_size=1, max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_json_reads_as_itself(value: dict[str, object]) -> None:
    """JSON is YAML: what json writes comes back the same."""
    import json

    text = json.dumps(value)
    if any(escape in text for escape in ("\\ud", "\\u0000", "\\u007f")):
        return  # half characters: JSON can write them, UTF-8 cannot
    report = Report()
    found = read_yaml("a.yaml", text.encode(), report)
    assert found == value, report.problems


def limited(limit: int) -> Any:
    """A parser like libyaml 0.2.6: it scans ahead of its events, and refuses brackets nested deeper than limit."""
    plain = yaml_reader._events

    def events(name: str, data: bytes) -> Callable[[], object]:
        text = data.decode()
        end = first_deeper(text, limit)
        return plain(name, data) if end is None else partial(refuse, name, text, end)

    return events


def first_deeper(text: str, limit: int) -> int | None:
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign in "[{") - (sign in "]}")
        if depth > limit:
            return index
    return None


def refuse(name: str, text: str, end: int) -> object:
    mark = yaml.Mark(name, end, text.count("\n", 0, end), end - text.rfind("\n", 0, end) - 1, None, 0)
    raise yaml.scanner.ScannerError("while increasing flow level", mark, "exceeded maximum nesting depth", mark)


@pytest.mark.parametrize("limit", [100, 500, None])
@pytest.mark.parametrize(
    ("nested", "place"),
    [
        ("[" * 9000, "a.yaml:2:66"),
        ("{a: " * 9000, "a.yaml:2:246"),
        ("[é, é, " * 9000, "a.yaml:2:426"),
        ("\n  " + "- " * 9000, "a.yaml:3:123"),
        ("\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 2000)), "a.yaml:63:62"),
    ],
)
def test_too_deep_is_said_at_the_same_place_whatever_parser_there_is(
    nested: str, place: str, limit: int | None, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libyaml 0.2.6 stops at a depth of 1,000, scanned ahead of what it has given; older ones do not stop."""
    if limit is not None:
        monkeypatch.setattr(yaml_reader, "_events", limited(limit))
    report = Report()
    assert read_yaml("a.yaml", f"version: 1\nx-a: {nested}".encode(), report) is None
    assert [(problem.code, str(problem.location)) for problem in report.problems] == [("too-deep", place)]
