"""Manifests that ask for too much work: each is refused with its place, before the work is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.expansion import Expansion
from scenario_apply.manifest.fields import child
from scenario_apply.manifest.loader import load as manifest_files
from scenario_apply.manifest.positions import Map, Seq, values_in
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.reader import read_yaml
from scenario_apply.model import did_you_mean
from tests.manifest.load import load, problems

PLAIN = "datasets:\n  d: { images: ./img }\nmodels:\n  m: { type: flux.1-lora, dataset: d }\n"


def model(fields: str) -> str:
    return "datasets:\n  d: { images: ./img }\nmodels:\n  m: { type: flux.1-lora, dataset: d, " + fields + " }\n"


def dataset(fields: str) -> str:
    return "datasets:\n  d: { " + fields + " }\nmodels:\n  m: { type: flux.1-lora, dataset: d }\n"


def composition(concepts: str) -> str:
    return PLAIN + "compositions:\n  c:\n    concepts: [" + concepts + "]\n"


def many(count: int, text: str) -> str:
    return ",".join(text.replace("#", str(number)) for number in range(count))


LISTS = {
    "moved": PLAIN + "moved: [" + many(10_001, "{from: model.a#, to: model.b#}") + "]\n",
    "import": PLAIN + "import: [" + many(10_001, "{to: model.a#, id: x#}") + "]\n",
    "removed": PLAIN + "removed: [" + many(10_001, "model.a#") + "]\n",
    "concepts": composition(many(1_001, "{modelId: x#, scale: 0.5}")),
    "find": composition(many(1_001, "{find: {name: x#, type: flux.1-lora}, scale: 0.5}")),
    "tags": model("tags: [" + many(1_001, "t#") + "]"),
    "ignore_changes": model("lifecycle: { ignore_changes: [" + many(1_001, "parameters.p#") + "] }"),
    "extends": model("extends: [" + many(51, "m#") + "]"),
    "images": dataset("images: [" + many(1_001, "./x#") + "]"),
    "exclude": dataset("images: ./img, exclude: [" + many(1_001, "x#*") + "]"),
    "lint": dataset("images: ./img, lint: {" + many(201, "D#: off") + "}"),
    "matrix": model("matrix: {" + many(101, "p#: [1]") + "}"),
    "matrix values": model("matrix: {rank: [" + many(1_001, "#") + "]}"),
    "matrix include": model("matrix: {include: [" + many(1_001, "{rank: 16, label: a#}") + "]}"),
    "matrix exclude": model("matrix: {rank: [4], exclude: [" + many(1_001, "{rank: #}") + "]}"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_a_longest_length(name: str, tmp_path: Path) -> None:
    """One problem, at the list, that says how many entries it has and how many it may have."""
    found = [problem for problem in problems(tmp_path, LISTS[name]) if problem.severity == "error"]
    assert [problem.code for problem in found] == ["too-long"]
    assert "entries; at most" in found[0].message
    assert found[0].location is not None
    assert found[0].location.line is not None


@pytest.mark.parametrize(
    "fields",
    [
        "exclude: {" + many(10_000, "k#: *long") + "}",
        "exclude: [" + many(1_000, "{k: *long}") + "]",
        "captions: {" + many(1_000, "f#.png: [*long]") + "}",
    ],
)
def test_a_long_text_is_not_repeated_in_messages(fields: str, tmp_path: Path) -> None:
    """Aliases make gigabytes of one text: a message names the kind of a wrong value and does not quote it."""
    found = problems(tmp_path, f"x-long: &long {'x' * 200_000}\n" + dataset("images: ./img, " + fields))
    assert {problem.code for problem in found} <= {"wrong-type", "too-many"}
    assert all(len(problem.message) < 500 for problem in found)


@pytest.mark.parametrize("field", ["trigger", "prefix", "suffix", "caption", "caption_template", "instruction"])
def test_what_goes_into_every_caption_has_a_longest_length(field: str, tmp_path: Path) -> None:
    """It would be copied into each of them."""
    found = problems(tmp_path, dataset(f"images: ./img, {field}: {'x ' * 100_000}"))
    found = [problem for problem in found if problem.severity == "error"]
    assert [problem.code for problem in found] == ["too-long"]


def test_a_crossed_matrix_is_counted_not_made(tmp_path: Path) -> None:
    """Five hundred digits would be no message, and Python refuses to write five thousand."""
    crossed = model("matrix: {" + many(100, f"p#: [{many(1_000, '#')}]") + "}")
    found = problems(tmp_path, crossed)
    assert "matrix-too-large" in [problem.code for problem in found]
    assert all(len(problem.message) < 300 for problem in found)


def test_what_defaults_and_extends_put_in_place_is_counted(tmp_path: Path) -> None:
    """A list under defaults stands in every model."""
    tags = "tags: [" + many(1_000, "t#") + "]"
    text = "defaults:\n  models: { " + tags + " }\ndatasets:\n  d: { images: ./img }\nmodels:\n"
    text += "".join(f"  m{number}: {{ type: flux.1-lora, dataset: d }}\n" for number in range(1_100))
    found = problems(tmp_path, text)
    assert [problem.code for problem in found if problem.severity == "error"] == ["too-large"]
    assert "values once defaults" in found[0].message


def test_resources_are_counted() -> None:
    """The count stops the load at the resource that is one too many."""
    report = Report()
    document = read_yaml("a.yaml", b"m: { tags: [a, b] }", report)
    assert document is not None
    fields = child(document, "m")
    assert fields is not None
    expansion = Expansion(report, most_resources=2)
    expansion.add(fields, document.start)
    expansion.add(fields, document.start)
    with pytest.raises(ManifestError, match="more than 2 models"):
        expansion.add(fields, document.start)


def test_values_in_a_value_are_counted_only_so_far() -> None:
    """A list that holds one list twice, which holds one twice, forty times over, has a trillion."""
    report = Report()
    document = read_yaml("a.yaml", b"a: [x, x]", report)
    assert isinstance(document, Map)
    value = document["a"]
    for _ in range(40):
        twice = Seq(document.start)
        twice.add(value, document.start)
        twice.add(value, document.start)
        value = twice
    assert 10_000 < values_in(value, 10_000) < 20_000


def test_lists_that_variables_double_are_refused(tmp_path: Path) -> None:
    """Each variable holds the one above it twice: forty lines are a trillion values."""
    text = "variables:\n  v0: [a, a, a, a]\n"
    text += "".join(f'  v{n}: ["{{{{ v{n - 1} }}}}", "{{{{ v{n - 1} }}}}"]\n' for n in range(1, 40))
    found = problems(tmp_path, text + PLAIN)
    assert "template-too-large" in [problem.code for problem in found]


def test_a_chain_of_variables_is_read_to_its_end(tmp_path: Path) -> None:
    """A thousand of them, each made of the one above, are no trouble."""
    text = "variables:\n  v0: a\n" + "".join(f'  v{n}: "{{{{ v{n - 1} }}}}"\n' for n in range(1, 1_000))
    assert load(tmp_path, text + model('description: "{{ v999 }}"')).variables["v999"] == "a"


def test_the_files_of_a_manifest_have_a_size_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only each for itself."""
    monkeypatch.setattr(manifest_files, "LARGEST_FILE_BYTES", 2_000)
    for number in range(3):
        (tmp_path / f"p{number}.yaml").write_text(f"models: {{}}\n# {'x' * 700}\n")
    found = problems(tmp_path, PLAIN + "include: [p0.yaml, p1.yaml, p2.yaml]\n")
    assert [problem.code for problem in found] == ["too-large"]
    assert "together" in found[0].message


def test_the_files_of_a_manifest_have_a_number_of_values_together(tmp_path: Path) -> None:
    """Keys that the manifest ignores count, too: each value takes memory, whoever reads it."""
    (tmp_path / "b.yaml").write_text("x-b: [" + "a: ," * 300_000 + "]\n")
    found = problems(tmp_path, PLAIN + "include: [b.yaml]\nx-a: [" + "{}," * 600_000 + "]\n")
    assert [problem.code for problem in found] == ["too-large"]
    assert found[0].message == "the files of this manifest have more than 1,000,000 values together"


def test_the_globs_of_a_manifest_have_a_size_together(tmp_path: Path) -> None:
    """Compiling them takes longer than reading; what several datasets share counts once."""
    text = "datasets:\n" + "".join(f"  d{n}: {{ images: '{n}{'*a' * 2_000}' }}\n" for n in range(100))
    assert [problem.code for problem in problems(tmp_path, text)] == ["too-large"]
    shared = "defaults:\n  datasets: { exclude: '" + "*a" * 2_000 + "' }\n"
    load(tmp_path, shared + "datasets:\n" + "".join(f"  d{n}: {{ images: ./{n} }}\n" for n in range(100)))


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", ".nan", "-.inf", "1" + "0" * 400])
def test_a_number_beyond_all_measure_is_named(number: str, tmp_path: Path) -> None:
    """With its place, and without a traceback of Python's own limit of digits."""
    found = problems(tmp_path, model(f"parameters: {{ learningRate: {number} }}"))
    assert found[0].code == "not-a-number"
    assert len(found[0].message) < 500
    assert found[0].location is not None
    assert found[0].location.line == 5


UNKNOWN_TYPE = (
    "datasets: { d: { images: ./img } }\nmodels:\n  m: { type: new-type, allow_unknown_type: true, dataset: d, "
)


@pytest.mark.parametrize("number", ["9" * 299, "0x" + "f" * 297, "1e300"])
def test_a_number_that_python_can_write_is_taken_where_any_is(number: str, tmp_path: Path) -> None:
    load(tmp_path, f"x-note: {number}\n" + model("parameters: {}"))


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "1e300"])
def test_a_number_that_json_keeps_is_taken_of_a_type_that_is_not_known(number: str, tmp_path: Path) -> None:
    """Types this release does not know may have any parameter."""
    load(tmp_path, UNKNOWN_TYPE + f"parameters: {{ p: {number} }} }}\n")


@pytest.mark.parametrize("number", ["9223372036854775808", "0x" + "f" * 297, "[1, { a: 18446744073709551616 }]"])
def test_a_number_that_json_does_not_keep_is_named(number: str, tmp_path: Path) -> None:
    """It would be found out after every image is uploaded."""
    found = problems(tmp_path, UNKNOWN_TYPE + f"parameters: {{ p: {number} }} }}\n")
    assert [problem.code for problem in found if problem.severity == "error"] == ["parameter-range"]
    assert "too large for a whole number of 64 bits" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "x-a: b: " + "x" * 3_000_000,
        "x-a: '" + "x " * 1_500_000,
        "x-a: [" + " \n" * 1_000_000,
        "x-a: b: " + "\n" * 3_000_000,
        "x-a: " + "x\n" * 1_000_000 + "\x07",
    ],
)
def test_a_syntax_error_in_megabytes_is_shown_in_a_line(text: str, tmp_path: Path) -> None:
    """A line of megabytes is not printed."""
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert sum(len(str(part or "")) for part in (found[0].message, found[0].hint, found[0].location)) < 2_000
    assert len((found[0].location and found[0].location.text) or "") <= 400


def test_the_names_to_suggest_are_indexed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many models extend something that does not exist; none is said to mean itself."""
    made: list[int] = []

    class Counted(did_you_mean.Nearest):
        def __init__(self, words: Iterable[str], same: Callable[[str], str]) -> None:
            made.append(1)
            super().__init__(words, same)

    monkeypatch.setattr(did_you_mean, "Nearest", Counted)
    models = "".join(f"  hero-{n}: {{ type: flux.1-lora, dataset: d, extends: hro-{n} }}\n" for n in range(60, 120))
    found = problems(tmp_path, "datasets:\n  d: { images: ./img }\nmodels:\n" + models)
    hints = [problem.hint or "" for problem in found if problem.code == "unknown-reference"]
    assert len(hints) == 60
    assert len(made) == 1
    assert all(hint.startswith("did you mean hero-") for hint in hints)
    assert not any(f"hero-{number}" in hint for number, hint in enumerate(hints, start=60))
