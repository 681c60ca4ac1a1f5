"""projects.py and manifest_globs.py: fleet.yaml and the files beside it -> projects with their manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.errors import ManifestError
from scenario_apply.fleet.projects import Fleet, load_fleet


def fleet(folder: Path, text: str, *manifests: str) -> Fleet:
    for name in manifests:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version: 1\n")
    (folder / "fleet.yaml").write_text(f"version: 1\n{text}\n")
    return load_fleet(None, str(folder))


def codes(folder: Path, text: str, *manifests: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        fleet(folder, text, *manifests)
    assert all(problem.location is not None for problem in caught.value.problems)
    return [problem.code for problem in caught.value.problems]


def test_globs_find_files_and_folders_that_are_manifests(tmp_path: Path) -> None:
    """Hidden files, other files and the fleet file itself are left out, and what is excluded."""
    text = "projects:\n  p: { manifests: ['*.yaml', 't/*', 'u/**'], exclude: 'u/old/*' }"
    names = ("a.yaml", ".b.yaml", "t/one/x.yaml", "t/two.yaml", "t/no/x.txt", "u/v/w.yaml", "u/old/z.yaml")
    (project,) = fleet(tmp_path, text, *names).projects
    assert [manifest.path for manifest in project.manifests] == ["a.yaml", "t/one", "t/two.yaml", "u/v/w.yaml"]


def test_entries_of_one_project_are_one_task(tmp_path: Path) -> None:
    text = "projects:\n  - { manifests: a.yaml, project: p }\n  - { manifests: b.yaml, project: p }"
    (project,) = fleet(tmp_path, text, "a.yaml", "b.yaml").projects
    assert [manifest.path for manifest in project.manifests] == ["a.yaml", "b.yaml"]


def test_the_state_of_each_manifest_is_filled_in(tmp_path: Path) -> None:
    text = "defaults: { state: 's3://b/{project}/{path}.json' }\nprojects:\n  p: { manifests: t/*.yaml }"
    (project,) = fleet(tmp_path, text, "t/a.yaml", "t/b.yaml").projects
    assert [manifest.state for manifest in project.manifests] == ["s3://b/p/t/a.json", "s3://b/p/t/b.json"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("manifests: [t/*.yaml, t/a.yaml]", "duplicate-manifest"),
        ("manifests: [t, t/a.yaml]", "duplicate-manifest"),
        ("manifests: [t/a.yaml, t]", "duplicate-manifest"),
        ("projects: [{ manifests: t/*, project: p }, { manifests: t/b.yaml, project: q }]", "duplicate-manifest"),
        ("manifests: ../*.yaml", "outside-root"),
        ("manifests: /etc/*.yaml", "outside-root"),
        ("manifests: .git/*", "hidden-path"),
        ("manifests: t/c.yaml", "no-manifest"),
        ("defaults: { state: 's/{name}.json' }\nmanifests: '*/a.yaml'", "state-shared"),
        ("projects: [{ manifests: t/a.yaml, project: p }, { manifests: t/b.yaml, project: p, rate_limit: 5 }]",
         "project-conflict"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_placed(tmp_path: Path, text: str, code: str) -> None:
    assert set(codes(tmp_path, text, "t/a.yaml", "t/b.yaml", "u/a.yaml")) == {code}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """It may have come with a pull request."""
    (tmp_path / "outside.yaml").write_text("version: 1\n")
    here = tmp_path / "here"
    here.mkdir()
    (here / "a.yaml").symlink_to(tmp_path / "outside.yaml")
    assert codes(here, "manifests: '*.yaml'") == ["outside-root"]
