"""Every form in which people keep edit pairs, read from a folder: which two pictures belong together, and how to edit.

The shapes are those of the tools' own documentation: fal (endings in one folder), ai-toolkit, musubi-tuner and
diffusion-pipe (two folders), musubi-tuner and diffusers (tables with a control picture), the Hugging Face Hub and
InstructPix2Pix (tables with input and output).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.loader.load import load_manifest
from tests.dataset.build import picture

TEXTS = ("turn it into a painting", "turn it into a print")


def read(root: Path, declared: str, pictures: Sequence[str], files: dict[str, str] | None = None) -> Dataset:
    """The dataset of a manifest; pictures: names of small ones that are made first."""
    for seed, name in enumerate(pictures):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(picture(seed=seed, size=(300, 300), kind="JPEG" if name.endswith(".jpg") else "PNG"))
    for name, text in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    models = "models: { w: { type: flux.2-klein-9b-edit-lora, dataset: w } }"
    path = root / "scenario.yaml"
    path.write_text(f"version: 1\ndatasets: {{ w: {{ {declared} }} }}\n{models}\n", encoding="utf-8")
    manifest = load_manifest("scenario.yaml", variables={}, var_files=[], env={}, cwd=str(root))
    found = scan_datasets(
        manifest.datasets,
        root=str(root),
        cache_path=None,
        types_of={"w": ("flux.2-klein-9b-edit-lora",)},
        cwd=str(root),
        depth=Depth.HEADERS,
    )
    return found["w"]


def told(dataset: Dataset) -> list[tuple[str, str, str]]:
    """Files of both pictures, and the instruction."""
    files = {image.path: image.file for image in dataset.contents.images}
    return [(files[pair.before], files[pair.after], pair.instruction) for pair in dataset.contents.pairs]


def errors(dataset: Dataset) -> list[str]:
    return [problem.code for problem in dataset.problems if problem.severity == "error"]


def two(folder_before: str, folder_after: str, *, ending: str = ".jpg") -> list[str]:
    return [f"{folder_before}{n}.png" for n in "12"] + [f"{folder_after}{n}{ending}" for n in "12"]


EXPECTED = [("b/1.png", "a/1.jpg", TEXTS[0]), ("b/2.png", "a/2.jpg", TEXTS[1])]


@pytest.mark.parametrize(
    "names",
    ["a/1.txt a/2.txt", "a/1.caption a/2.caption", "a/1.jpg.txt a/2.jpg.txt", "b/1.txt b/2.txt", "b/1.txt a/2.txt"],
)
def test_two_folders_with_a_caption_file_beside_a_picture(names: str, tmp_path: Path) -> None:
    dataset = read(tmp_path, "before: ./b, after: ./a", two("b/", "a/"), dict(zip(names.split(), TEXTS, strict=True)))
    assert (told(dataset), errors(dataset)) == (EXPECTED, [])


def test_two_folders_with_folders_in_them(tmp_path: Path) -> None:
    names = ["b/day/1.png", "b/night/1.png", "a/day/1.jpg", "a/night/1.jpg"]
    dataset = read(tmp_path, 'before: ./b, after: ./a, recursive: true, instruction: "turn it"', names)
    assert told(dataset) == [(f"b/{when}/1.png", f"a/{when}/1.jpg", "turn it") for when in ("day", "night")]


def test_folders_in_the_two_folders_are_named_where_they_are_not_read(tmp_path: Path) -> None:
    dataset = read(tmp_path, 'before: ./b, after: ./a, instruction: "turn it"', two("b/day/", "a/day/"))
    (problem,) = [problem for problem in dataset.problems if problem.code == "N05"]
    assert "recursive: true" in (problem.hint or "")


@pytest.mark.parametrize(
    "couple", ["_start/_end", "_before/_after", "_source/_target", "_input/_output", "_control/_dataset", "_a/_b"]
)
def test_endings_in_one_folder(couple: str, tmp_path: Path) -> None:
    before, after = couple.split("/")
    names = [f"p/fox{before}.png", f"p/owl{before}.png", f"p/fox{after}.jpg", f"p/owl{after}.jpg"]
    dataset = read(tmp_path, "pairs: ./p", names, {"p/fox.txt": TEXTS[0], "p/owl.txt": TEXTS[1]})
    assert told(dataset) == [
        (f"p/{name}{before}.png", f"p/{name}{after}.jpg", text)
        for name, text in zip(("fox", "owl"), TEXTS, strict=True)
    ]


def test_own_endings_are_named_and_unknown_ones_are_explained(tmp_path: Path) -> None:
    names = ["p/fox-von.png", "p/fox-nach.png", "p/owl-von.png", "p/owl-nach.png"]
    own = read(tmp_path, "pairs: { folder: ./p, suffixes: [-von, -nach] }, instruction: turn it", names)
    assert [pair[:2] for pair in told(own)] == [(names[0], names[1]), (names[2], names[3])]
    unknown = read(tmp_path, "pairs: ./p, instruction: turn it", names)
    (problem,) = [problem for problem in unknown.problems if problem.severity == "error"]
    assert (problem.code, "suffixes" in (problem.hint or "")) == ("P01", True)


def lines(*columns: str, names: Sequence[tuple[object, ...]] = EXPECTED) -> str:
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in names)


def csv_of(columns: str, *, comma: str = ",", order: Sequence[int] = (0, 1, 2)) -> str:
    rows = [comma.join(row[at] for at in order) for row in EXPECTED]
    return "\n".join([comma.join(columns.split()), *rows]) + "\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("t.jsonl", lines("control_path", "image_path", "caption")),  # musubi-tuner
        ("t.jsonl", lines("control_path", "image_path", "caption", names=[([b], a, t) for b, a, t in EXPECTED])),
        ("t.jsonl", lines("cond_image", "file_name", "text")),  # diffusers
        ("t.csv", csv_of("cond_image_column image_column caption_column")),
        ("t.csv", csv_of("input_file_name output_file_name edit_prompt")),  # Hugging Face Hub
        ("t.csv", csv_of("file_name output prompt")),
        ("t.tsv", csv_of("input_image edit_prompt edited_image", comma="\t", order=(0, 2, 1))),  # InstructPix2Pix
        ("t.csv", csv_of("source target instruction")),
        ("t.csv", csv_of("Before After Text")),
        ("t.json", json.dumps([dict(zip(("before", "after", "caption"), row, strict=True)) for row in EXPECTED])),
        ("t.json", json.dumps({"pairs": [dict(zip(("input", "output", "text"), r, strict=True)) for r in EXPECTED]})),
        ("t.yaml", "".join(f"- {{before: {b}, after: {a}, instruction: {t}}}\n" for b, a, t in EXPECTED)),
        ("t.yaml", "pairs:\n" + "".join(f"  - {{source: {b}, target: {a}, prompt: {t}}}\n" for b, a, t in EXPECTED)),
    ],
)
def test_a_table_names_both_pictures_and_the_instruction(file: str, text: str, tmp_path: Path) -> None:
    dataset = read(tmp_path, f"pairs: ./{file}", two("b/", "a/"), {file: text})
    assert (told(dataset), errors(dataset)) == (EXPECTED, [])


@pytest.mark.parametrize("listed", ["table", "list"])
def test_without_instructions_of_its_own_a_table_takes_the_caption_files(listed: str, tmp_path: Path) -> None:
    """The second pair has none beside it: the dataset's instruction is for those."""
    table = {"t.csv": "before,after\n" + "".join(f"{b},{a}\n" for b, a, _ in EXPECTED), "a/1.txt": TEXTS[0]}
    in_place = ", ".join(f"{{ before: {b}, after: {a} }}" for b, a, _ in EXPECTED)
    pairs = "./t.csv" if listed == "table" else f"[{in_place}]"
    dataset = read(tmp_path, f"pairs: {pairs}, instruction: {TEXTS[1]}", two("b/", "a/"), table)
    assert told(dataset) == EXPECTED


def test_one_instruction_is_for_all_with_the_trigger_in_front(tmp_path: Path) -> None:
    for key in ("instruction", "caption"):
        dataset = read(tmp_path, f"before: ./b, after: ./a, trigger: KAEL_07, {key}: turn it", two("b/", "a/"))
        assert {text for *_, text in told(dataset)} == {"KAEL_07, turn it"}


def test_a_trigger_that_stands_in_the_instruction_is_not_put_in_front(tmp_path: Path) -> None:
    declared = "before: ./b, after: ./a, trigger: KAEL_07"
    dataset = read(
        tmp_path, declared, two("b/", "a/"), {"a/1.txt": "turn it into [trigger]", "a/2.txt": "make it KAEL_07"}
    )
    assert [text for *_, text in told(dataset)] == ["turn it into KAEL_07", "make it KAEL_07"]


# -- several control pictures, which Scenario does not take


@pytest.mark.parametrize(
    "row",
    [
        {"control_path_0": "b/1.png", "control_path_1": "b/2.png", "image_path": "a/1.jpg", "caption": "turn it"},
        {"control_path": ["b/1.png", "b/2.png"], "image_path": "a/1.jpg", "caption": "turn it"},
        {"source": "b/1.png", "control": "b/2.png", "target": "a/1.jpg", "caption": "turn it"},
        {"input_image_1": "b/1.png", "input_image_2": "b/2.png", "edited_image": "a/1.jpg", "edit_prompt": "turn it"},
    ],
)
def test_a_second_control_picture_in_a_table_is_refused_with_the_reason(row: dict[str, Any], tmp_path: Path) -> None:
    dataset = read(tmp_path, "pairs: ./t.jsonl", two("b/", "a/"), {"t.jsonl": json.dumps(row) + "\n"})
    (problem,) = [problem for problem in dataset.problems if problem.code == "P01"]
    assert "one before picture" in problem.message
    assert "Scenario takes no second one" in (problem.hint or "")


def test_numbered_control_pictures_of_musubi_tuner(tmp_path: Path) -> None:
    """img_0 alone is the control picture of img; img_0 and img_1 are two."""
    names = ["b/1_0.png", "b/2_0.png", "a/1.jpg", "a/2.jpg"]
    assert told(read(tmp_path, "before: ./b, after: ./a, instruction: turn it", names)) == [
        ("b/1_0.png", "a/1.jpg", "turn it"),
        ("b/2_0.png", "a/2.jpg", "turn it"),
    ]
    dataset = read(tmp_path, "before: ./b, after: ./a, instruction: turn it", [*names, "b/2_1.png"])
    found = [problem.message for problem in dataset.problems if problem.severity == "error"]
    assert found == ["2.jpg has several before pictures (2_0.png, 2_1.png): Scenario takes one for each pair"]


def test_further_references_of_fal_are_refused_with_the_reason(tmp_path: Path) -> None:
    names = ["p/fox_start.png", "p/fox_start2.png", "p/fox_end.png", "p/owl_start.png", "p/owl_end.png"]
    dataset = read(tmp_path, "pairs: ./p, instruction: turn it", names)
    found = [problem.message for problem in dataset.problems if problem.severity == "error"]
    assert found == ["fox_start2.png is a further before picture: Scenario takes one for each pair"]


def test_a_column_that_says_where_pictures_come_from_is_no_picture(tmp_path: Path) -> None:
    rows = [(*row, "flickr") for row in EXPECTED]
    text = lines("control_path", "image_path", "caption", "source", names=rows)
    assert told(read(tmp_path, "pairs: ./t.jsonl", two("b/", "a/"), {"t.jsonl": text})) == EXPECTED


# -- rules


@pytest.mark.parametrize(
    ("folders", "swapped"),
    [
        ("output/input", True),
        ("after/before", True),
        ("b/source_photos", True),
        ("before/after", False),
        ("endoscopy/stained", False),
        ("degraded/originals", False),
        ("painted/photo", False),
        ("before_targets/after_targets", False),
    ],
)
def test_swapped_roles_are_told_by_the_words_in_folder_names(folders: str, swapped: bool, tmp_path: Path) -> None:
    before, after = folders.split("/")
    declared = f"before: ./{before}, after: ./{after}, instruction: turn it"
    dataset = read(tmp_path, declared, two(f"{before}/", f"{after}/"))
    assert ("P06" in {problem.code for problem in dataset.problems}) == swapped


@pytest.mark.parametrize(
    ("text", "describes"),
    [
        ("Please turn it into clay", False),
        ("extract the fox", False),
        ("Delete the fox", False),
        ('"Turn it into clay"', False),
        ("a fox made of clay", True),
        ("the fox is red now", True),
    ],
)
def test_instructions_that_describe_are_told_from_those_that_instruct(
    text: str, describes: bool, tmp_path: Path
) -> None:
    declared = "before: ./b, after: ./a, trigger: KAEL_07, prefix: 'photo edit,'"
    dataset = read(tmp_path, declared, two("b/", "a/"), {"a/1.txt": text, "a/2.txt": text})
    assert ("P03" in {problem.code for problem in dataset.problems}) == describes
