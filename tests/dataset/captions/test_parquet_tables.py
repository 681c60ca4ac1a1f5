"""dataset.captions.parquet_tables: parquet is a table like any other, if pyarrow is there."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from scenario_apply.dataset.captions import parquet_tables
from scenario_apply.dataset.captions.tables import caption_rows, read_table
from scenario_apply.model.lint_rules import Finding
from tests.dataset.build import spec_from
from tests.dataset.scan.test_scanner import codes, make, scan_one


def packed(columns: Mapping[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(dict(columns)), out, **options)
    return out.getvalue()


def read(data: bytes) -> str | Finding:
    return parquet_tables.parquet_lines(data, file="metadata.parquet")


@pytest.mark.parametrize("dictionary", [True, False])
def test_rows_keep_their_number(dictionary: bool) -> None:
    """Also of a text that many rows share, and where a row has none."""
    columns = {"File Name": ["1.png", "2.png", "3.png"], "text": ["red fox", None, "red fox"], "width": [1, 2, 3]}
    text = read(packed(columns, use_dictionary=dictionary))
    assert isinstance(text, str)
    rows, _ = caption_rows(read_table(text, file="metadata.parquet"), file="metadata.parquet")
    found = [(row.key, row.text, row.line) for row in rows]
    assert found == [("1.png", "red fox", 1), ("3.png", "red fox", 3)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"image": [{"bytes": b"PNG", "path": "1.png"}], "text": ["a"]}, "holds the pictures themselves"),
        ({"image": [b"PNG"], "text": ["a"]}, "holds the pictures themselves"),
        ({"file_name": ["1.png"], "tags": [["a", "b"]]}, "the column tags does not hold text"),
    ],
)
def test_what_cannot_be_a_table_of_captions_is_explained(columns: dict[str, Any], said: str) -> None:
    found = read(packed(columns))
    assert isinstance(found, Finding)
    assert (found.code, said in found.what) == ("C18", True)
    assert found.hint


@pytest.mark.parametrize("cut", [0, 10, -20])
def test_a_damaged_file_is_a_finding(cut: int) -> None:
    found = read(packed({"file_name": ["1.png"], "text": ["a"]})[:cut] if cut else b"PAR1")
    assert isinstance(found, Finding)
    assert "cannot be read as parquet" in found.what


def test_a_text_that_a_small_file_repeats_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_tables, "_MOST_BYTES", 100_000)
    data = packed({"file_name": ["1.png"] * 5000, "text": ["long " * 1000] * 5000})
    assert len(data) < 20_000
    found = read(data)
    assert isinstance(found, Finding)
    assert "MB of texts" in found.what


@pytest.mark.parametrize("captions", [None, "./set/metadata.parquet"])
def test_a_folder_with_metadata_parquet_is_read(tmp_path: Path, captions: str | None) -> None:
    """By its name, where there are no other captions, or because the manifest names it."""
    folder = make(tmp_path)
    for path in folder.glob("*.txt"):
        path.unlink()
    texts = [f"the long road number {at} to somewhere" for at in range(5)]
    (folder / "metadata.parquet").write_bytes(packed({"file_name": [f"{at}.png" for at in range(5)], "text": texts}))
    fields: dict[str, Any] = {"images": ["./set"], **({"captions": captions} if captions else {})}
    found = scan_one(tmp_path, spec_from(fields))
    assert [image.caption for image in found.contents.images] == texts
    assert not codes(found) & {"C18", "C21", "C02"}


@pytest.mark.parametrize(("captions", "code"), [(None, "C21"), ("./set/metadata.parquet", "C18")])
def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, captions: str | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops, in place of a dataset without captions."""
    folder = make(tmp_path)
    for path in folder.glob("*.txt"):
        path.unlink()
    (folder / "metadata.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr("scenario_apply.dataset.captions.parquet_tables.find_spec", lambda _: None)
    fields: dict[str, Any] = {"images": ["./set"], **({"captions": captions} if captions else {})}
    found = [problem for problem in scan_one(tmp_path, spec_from(fields)).problems if problem.code == code]
    assert found[0].severity == "error"
    assert "scenario-apply[parquet]" in (found[0].hint or "")
