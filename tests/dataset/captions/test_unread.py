"""dataset.captions.unread: captions that lie there and are not used are named, and stop a dataset that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.scan.sources import Sources
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec
from tests.dataset.build import PLACE, make_picture

CAPTIONS = ["a tin robot in the grass", "a bottle on a sill", "paper boats on a pond", "a bicycle", "a cat in a box"]


def make(root: Path, files: dict[str, str], folder: str = "data/set") -> None:
    for at in range(5):
        make_picture(root / folder / f"0{at}.png", seed=at, size=(64, 64))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def scan(root: Path, **fields: Any) -> Dataset:
    lint = {"R01": "off"}
    spec = DatasetSpec(**{"name": "d", "images": ("./data/set",), "place": PLACE, "lint": lint, **fields})
    return scan_datasets({"d": spec}, root=str(root), cache_path=None, types_of={"d": ()}, cwd=str(root))["d"]


def csv(prefix: str = "", ending: str = "png") -> str:
    return "file_name,text\n" + "".join(f"{prefix}0{at}.{ending},{text}\n" for at, text in enumerate(CAPTIONS))


def jsonl(prefix: str = "") -> str:
    return "".join(f'{{"file_name": "{prefix}0{at}.png", "text": "{text}"}}\n' for at, text in enumerate(CAPTIONS))


def yaml(prefix: str = "") -> str:
    return "".join(f"{prefix}0{at}.png: {text}\n" for at, text in enumerate(CAPTIONS))


@pytest.mark.parametrize("missing", ["error", "auto", "warn"])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data/set/list.csv", csv()),
        ("data/set/list.yaml", yaml()),
        ("data/set/My Captions.CSV", csv()),
        ("data/set/data.tsv", csv().replace(",", "\t")),
        ("data/metadata.jsonl", jsonl()),
        ("data/captions.csv", csv("set\\")),
        ("metadata.csv", csv("data/set/")),
        ("labels.jsonl", jsonl("./data/set/")),
    ],
)
def test_a_table_that_names_the_pictures_stops_a_dataset_without_captions(
    file: str, text: str, missing: str, tmp_path: Path
) -> None:
    """Beside the pictures or one folder up; the hint is what has to be written, and it works."""
    make(tmp_path, {file: text})
    found = scan(tmp_path, missing=missing)
    (finding,) = [p for p in found.problems if p.code == "C21"]
    assert (finding.severity, finding.location and finding.location.file) == ("error", file)
    assert f"`captions: ./{file}`" in str(finding.hint)
    assert not any("no captions found" in p.message for p in found.problems)
    used = scan(tmp_path, missing="auto", captions=CaptionSource(kind="file", path=f"./{file}"))
    assert not [p for p in used.problems if p.severity == "error"]
    assert sum(image.caption is not None for image in used.contents.images) >= 2


def test_a_table_for_the_pictures_of_another_folder_is_none_of_its_business(tmp_path: Path) -> None:
    """Two sets whose pictures have the same names, and a table of one of them: the other gets none of its captions."""
    make(tmp_path, {"data/metadata.csv": csv("other/")})
    make(tmp_path, {}, folder="data/other")
    assert {p.code for p in scan(tmp_path).problems} == {"C02"}
    used = scan(tmp_path, captions=CaptionSource(kind="file", path="./data/metadata.csv"))
    assert not any(image.caption for image in used.contents.images)
    (finding,) = [p for p in used.problems if p.code == "C04"]
    assert (finding.severity, "'other/00.png'" in finding.message) == ("error", True)


def test_a_table_of_several_folders_serves_each_without_a_warning(tmp_path: Path) -> None:
    make(tmp_path, {"data/metadata.csv": csv("set/") + csv("other/").partition("\n")[2].replace("a ", "another ")})
    make(tmp_path, {}, folder="data/other")
    used = scan(tmp_path, captions=CaptionSource(kind="file", path="./data/metadata.csv"))
    assert [image.caption for image in used.contents.images] == CAPTIONS
    assert {p.code for p in used.problems} <= {"C09"}


def test_a_table_may_name_pictures_by_where_a_link_leads(tmp_path: Path) -> None:
    make(tmp_path, {"data/metadata.csv": csv("v3/")}, folder="data/v3")
    (tmp_path / "data/set").symlink_to("v3")
    used = scan(tmp_path, captions=CaptionSource(kind="file", path="./data/metadata.csv"))
    assert [image.caption for image in used.contents.images] == CAPTIONS


@pytest.mark.parametrize(
    ("name", "code"), [("metadata.parquet", "C18"), ("captions.yaml", "C18"), ("captions.xlsx", "C21")]
)
def test_a_table_that_cannot_be_read_stops_a_dataset_without_captions(name: str, code: str, tmp_path: Path) -> None:
    make(tmp_path, {f"data/set/{name}": "PAR1"})
    assert [(p.code, p.severity) for p in scan(tmp_path).problems] == [(code, "error")]


@pytest.mark.parametrize("ending", [".md", ".prompt", ".YAML", ".docx"])
def test_files_of_the_pictures_names_stop_a_dataset_without_captions(ending: str, tmp_path: Path) -> None:
    make(tmp_path, {f"data/set/0{at}{ending}": '{"caption": "a bottle"}' for at in range(5)})
    (finding,) = scan(tmp_path, missing="auto").problems
    assert (finding.code, finding.severity) == ("C21", "error")
    assert f"00{ending}" in finding.message


@pytest.mark.parametrize("sign", [" ", "\t", ": ", ", ", " | "])
def test_a_text_that_lists_the_pictures_stops_a_dataset_without_captions(sign: str, tmp_path: Path) -> None:
    make(tmp_path, {"data/set/captions.txt": "".join(f"0{at}.png{sign}{text}\n" for at, text in enumerate(CAPTIONS))})
    (finding,) = [p for p in scan(tmp_path, missing="auto").problems if p.code == "C21"]
    assert (finding.severity, "names 5 of the images" in finding.message) == ("error", True)


def test_remarks_on_a_few_pictures_are_no_reason_to_stop(tmp_path: Path) -> None:
    make(tmp_path, {"data/set/todo.txt": "01.png is too dark\n03.png: crop it\n"})
    assert {p.severity for p in scan(tmp_path).problems} == {"warning"}


def test_captions_that_fit_no_picture_are_never_no_captions(tmp_path: Path) -> None:
    make(tmp_path, {f"data/set/kael_{at}.txt": text for at, text in enumerate(CAPTIONS)})
    found = {(p.code, p.severity) for p in scan(tmp_path, missing="auto").problems}
    assert found == {("C04", "warning"), ("C21", "error")}


def test_a_stray_text_is_no_reason_to_stop(tmp_path: Path) -> None:
    make(tmp_path, {"data/set/todo.txt": "draw more"})
    assert {(p.code, p.severity) for p in scan(tmp_path).problems} == {("C04", "warning"), ("C21", "warning")}


def test_what_the_lacking_picture_has_is_named_beside_complete_captions(tmp_path: Path) -> None:
    """One picture of five has its caption in another form: a warning, also where Scenario may write it."""
    make(tmp_path, {f"data/set/0{at}.txt": text for at, text in enumerate(CAPTIONS[:4])})
    (tmp_path / "data/set/04.md").write_text("a cat in a box")
    (finding,) = [p for p in scan(tmp_path, missing="auto").problems if p.code == "C21"]
    assert (finding.severity, "04.md" in finding.message) == ("warning", True)


@pytest.mark.parametrize("kind", ["auto", "filename", "recognise"])
def test_what_is_not_needed_is_a_note(kind: Any, tmp_path: Path) -> None:
    """Captions by Scenario were asked for, or every picture has its own: the table is mentioned, not more."""
    make(tmp_path, {f"data/set/0{at}.txt": text for at, text in enumerate(CAPTIONS)})
    (tmp_path / "data/set/captions.csv").write_text(csv())
    found = [p for p in scan(tmp_path, captions=CaptionSource(kind=kind)).problems if p.code == "C21"]
    assert {p.severity for p in found} == {"info"}
    assert any("captions.csv" in p.message for p in found)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("metadata.jsonl", ""),
        ("metadata.csv", "file_name,text\n"),
        ("metadata.csv", "<html><body>404</body></html>"),
        ("captions.yaml", "# to do\n"),
    ],
)
def test_a_table_without_captions_is_never_no_captions(file: str, text: str, tmp_path: Path) -> None:
    """It stops a dataset that has none; it is mentioned beside complete ones, and where Scenario may write them."""
    make(tmp_path, {f"data/set/{file}": text})
    for missing, severity in (("error", "error"), ("auto", "warning")):
        (finding,) = scan(tmp_path, missing=missing).problems
        assert (finding.code, finding.severity) == ("C21", severity)
        assert f"data/set/{file} holds no captions" in finding.message
    make(tmp_path, {f"data/set/0{at}.txt": text for at, text in enumerate(CAPTIONS)})
    assert {(p.code, p.severity) for p in scan(tmp_path).problems if p.code == "C21"} == {("C21", "info")}


def test_a_list_of_pictures_without_captions_is_not_recommended(tmp_path: Path) -> None:
    """As COCO has it: the captions stand in another list, so that naming the file would not help."""
    pictures = ", ".join(f'{{"id": {at}, "file_name": "0{at}.png"}}' for at in range(5))
    texts = ", ".join(f'{{"image_id": {at}, "caption": "{text}"}}' for at, text in enumerate(CAPTIONS))
    make(tmp_path, {"data/set/annotations.json": f'{{"images": [{pictures}], "annotations": [{texts}]}}'})
    (finding,) = scan(tmp_path).problems
    assert (finding.code, finding.severity) == ("C21", "error")
    assert str(finding.hint).startswith("write it as a CSV file")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"data/set/README.md": "about", "data/notes.csv": "a,b\n1,2\n", "data/config.yaml": "version: 1\n"},
        {"data/set/workflow.json": '{"nodes": []}'},
    ],
)
def test_other_files_are_none_of_its_business(files: dict[str, str], tmp_path: Path) -> None:
    make(tmp_path, files)
    assert {p.code for p in scan(tmp_path).problems} == {"C02"}


def test_a_change_of_a_table_one_folder_up_is_seen(tmp_path: Path) -> None:
    """The cached result depends on it."""
    make(tmp_path, {"data/table.csv": csv("other/")})
    spec = DatasetSpec(name="d", images=("./data/set",), place=PLACE, lint={"R01": "off"})

    def codes() -> set[str]:
        cache = str(tmp_path / ".scenario" / "datasets")
        found = scan_datasets({"d": spec}, root=str(tmp_path), cache_path=cache, types_of={}, cwd=str(tmp_path))
        return {p.code for p in found["d"].problems}

    (tmp_path / "data/table.csv").write_text("file_name,text\nnone.png,a cat\n")
    assert codes() == codes() == {"C02"}
    (tmp_path / "data/table.csv").write_text(csv())
    assert codes() == {"C21"}


@pytest.mark.parametrize("folder", ["data/set/captions", "data/set/any", "data/captions", "data/Labels"])
def test_a_folder_of_caption_files_stops_a_dataset_without_captions(folder: str, tmp_path: Path) -> None:
    """Below the pictures, or beside their folder under a name that says so."""
    make(tmp_path, {f"{folder}/0{at}.txt": text for at, text in enumerate(CAPTIONS)})
    found = [(p.code, p.severity, p.location and p.location.file) for p in scan(tmp_path, missing="auto").problems]
    assert found == [("C21", "error", folder)]


def test_folders_of_other_texts_are_none_of_its_business(tmp_path: Path) -> None:
    make(tmp_path, {"data/captions/other.txt": "a fox", "data/set/notes/todo.txt": "draw", "data/more/00.txt": "x"})
    assert {p.code for p in scan(tmp_path).problems} == {"C02"}


@pytest.mark.parametrize("ending", [".txt.bak", ".txt_old", ".txt.txt"])
def test_caption_files_put_aside_are_named(ending: str, tmp_path: Path) -> None:
    make(tmp_path, {f"data/set/0{at}{ending}": text for at, text in enumerate(CAPTIONS)})
    found = scan(tmp_path, missing="auto").problems
    assert ("C21", "error") in {(p.code, p.severity) for p in found}


def test_the_manifest_is_no_table_of_captions(tmp_path: Path) -> None:
    """Of JSON and YAML files above the images only those with a usual name are looked into: others do not matter."""
    make(tmp_path, {"data/scenario.yaml": yaml(), "data/package.json": "{}", "data/list.csv": csv()})
    one = DatasetSpec(name="d", images=("./data/set",), place=PLACE)
    assert parent_tables(tmp_path, one) == ["list.csv"]
    (tmp_path / "data" / "Captions.yaml").write_text(yaml())
    assert parent_tables(tmp_path, one) == ["Captions.yaml", "list.csv"]


def test_tables_above_many_datasets_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each dataset may have to read them again."""
    make(tmp_path, {"data/list.csv": csv()})
    monkeypatch.setattr("scenario_apply.dataset.scan.sources._MOST_TABLE_BYTES", 2 * len(csv()))
    one = DatasetSpec(name="d", images=("./data/set",), place=PLACE)
    sources = Sources(str(tmp_path), allow_outside=False)
    assert [len(sources.list_all(one).parent_tables) for _ in range(4)] == [1, 1, 0, 0]


def parent_tables(root: Path, spec: DatasetSpec) -> list[str]:
    return sorted(entry.path for entry in Sources(str(root), allow_outside=False).list_all(spec).parent_tables)
