"""Entries added to the text of a manifest."""

from __future__ import annotations

import pytest
import yaml

from scenario_apply.manifest.appending import CannotAppend, with_entries

MANIFEST = """\
# head
version: 1
models:   # ours
  kael:
    name: x   # a label
    description: |
      # text, no comment

      end
  # the end of the models
# before the datasets

datasets:
    kael: { images: ./kael }
limits:
"""
MODEL = "mira:\n  name: Mira\n"


def test_lines_are_only_added() -> None:
    """Each block gets its entry at its end, at its own indentation; a block that is missing is made."""
    longer = with_entries(MANIFEST, {"models": MODEL, "datasets": "mira:\n  images: ./mira\n", "import": "- to: x\n"})
    assert longer == MANIFEST.replace(
        "  # the end of the models\n", "  # the end of the models\n  mira:\n    name: Mira\n"
    ).replace("limits:\n", "    mira:\n      images: ./mira\nlimits:\nimport:\n  - to: x\n")


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("models:\n", "  mira:\n"),
        ("models:\n# later\n", "  mira:\n"),
        ("# only a comment\n", "models:\n  mira:\n"),
        ("", "models:\n  mira:\n"),
        ("version: 1\nmodels:\n  kael: {}", "  mira:\n"),
        ("version: 1\r\nmodels:\r\n  kael: {}\r\n", "  mira:\r\n"),
        ("models:\n  kael: &k { name: a }\n  twin: *k\nlimits: { cost: 1 }\n", "  mira:\n"),
    ],
)
def test_every_usual_form_takes_an_entry(text: str, added: str) -> None:
    """Empty blocks, the last line without an end, line ends of Windows, aliases."""
    longer = with_entries(text, {"models": MODEL})
    assert added in longer
    assert (yaml.safe_load(text) or {}).items() <= {
        **yaml.safe_load(longer),
        "models": (yaml.safe_load(text) or {}).get("models"),
    }.items()
    assert yaml.safe_load(longer)["models"]["mira"] == {"name": "Mira"}


@pytest.mark.parametrize(
    "text",
    ["models: {}\n", "{ models: { a: 1 } }\n", "models: null\n", "a: &x\n  b: 1\nmodels: *x\n", "a: 1\n---\nb: 1\n",
     "models:\n  mira: {}\n", "[1]\n", "models:\n  - a\n"],
)  # fmt: skip
def test_what_cannot_be_added_to_is_left_alone(text: str) -> None:
    """One-line blocks, several documents, keys that exist: an error that says why, and no text."""
    with pytest.raises(CannotAppend):
        with_entries(text, {"models": MODEL})
