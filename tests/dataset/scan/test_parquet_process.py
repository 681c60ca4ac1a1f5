"""dataset.scan.parquet_process: no parquet file takes the memory of this process, or ends it."""

from __future__ import annotations

import io

import pyarrow
import pytest
from pyarrow import parquet

from scenario_apply.dataset.captions.parquet_tables import parquet_lines
from scenario_apply.dataset.scan import parquet_process
from scenario_apply.dataset.scan.parquet_process import parquet_rows
from scenario_apply.model.lint_rules import Finding


def packed(text: str) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table({"file_name": ["1.png"], "text": [text]}), out, compression="zstd")
    return out.getvalue()


def test_the_rows_and_findings_are_those_of_parquet_lines() -> None:
    data = packed("a grey fox, Füchse 狐")
    assert parquet_rows(data, file="a.parquet") == parquet_lines(data, file="a.parquet").encode()  # type: ignore[union-attr]
    assert parquet_rows(data[:-20], file="a.parquet") == parquet_lines(data[:-20], file="a.parquet")


def test_a_file_that_takes_too_much_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads it ends, and this one goes on."""
    monkeypatch.setattr(parquet_process, "_CODE", "import os; os.abort()")
    found = parquet_rows(packed("a"), file="a.parquet")
    assert isinstance(found, Finding)
    assert (found.code, "too much memory" in found.what) == ("C18", True)
