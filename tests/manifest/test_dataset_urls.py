"""manifest.dataset_urls: a URL that cannot be read is an error at its place, and one with credentials is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.load import load, problems

FORMS = """
images: URL
images: [./set, URL]
before: URL, after: ./set
pairs: URL
pairs: { folder: URL }
images: ./set, captions: URL
images: ./set, captions: { file: URL }
pairs: [{ before: URL, after: ./2.png }]
"""


@pytest.mark.parametrize("form", FORMS.strip().splitlines())
def test_a_url_is_checked_wherever_it_stands(tmp_path: Path, form: str) -> None:
    text = "datasets:\n  set: { " + form.replace("URL", '"hf://datasets/a/b.csv"') + " }\n"
    found = [problem for problem in problems(tmp_path, text) if problem.code == "dataset-url"]
    assert [problem.message for problem in found] == ["hf:// is not supported"]
    assert found[0].location is not None
    assert found[0].location.column == text.splitlines()[1].index('"hf') + 1


@pytest.mark.parametrize("url", ["https://me:pass-word@host/1.png", "https://host/1.png?sig=pass-word"])
def test_credentials_in_a_url_are_shown_nowhere(tmp_path: Path, url: str) -> None:
    found = problems(tmp_path, f"datasets:\n  set: {{ images: '{url}' }}\n")
    assert "dataset-url" in {problem.code for problem in found}
    assert "pass-word" not in str(found)


def test_a_model_may_name_a_url_itself(tmp_path: Path) -> None:
    loaded = load(tmp_path, "models:\n  kael: { type: flux.1-lora, dataset: 's3://bucket/kael' }\n")
    assert loaded.datasets["kael"].images == ("s3://bucket/kael",)
