"""Loads a manifest from text, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from scenario_apply.errors import Diagnostic, ManifestError
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import Manifest

EMPTY: Mapping[str, str] = {}


def load(
    folder: Path,
    text: str,
    *,
    variables: Mapping[str, str] = EMPTY,
    var_files: Sequence[str] = (),
    env: Mapping[str, str] = EMPTY,
    allow_env: Sequence[str] | None = None,
    name: str = "scenario.yaml",
) -> Manifest:
    """The manifest of that text, `version: 1` put in front. allow_env None: every variable of env is allowed."""
    (folder / name).write_text("version: 1\n" + dedent(text))
    return load_manifest(
        name,
        variables=variables,
        var_files=var_files,
        env=env,
        cwd=str(folder),
        allow_env=env if allow_env is None else allow_env,
    )


def problems(folder: Path, text: str) -> list[Diagnostic]:
    """What is wrong with it."""
    with pytest.raises(ManifestError) as raised:
        load(folder, text)
    return list(raised.value.problems)
