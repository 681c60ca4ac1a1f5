"""fleet_file.py: the text of fleet.yaml -> FleetFile, or errors with their places and without a secret."""

from __future__ import annotations

import pytest

from scenario_apply.errors import Diagnostic, ManifestError
from scenario_apply.fleet.fleet_file import CredentialNames, FleetFile, FleetLimits, fleet_schema, read_fleet_file


def read(text: str) -> FleetFile:
    return read_fleet_file("fleet.yaml", text.encode(), fleet_schema())


def problems(text: str) -> list[Diagnostic]:
    with pytest.raises(ManifestError) as caught:
        read(text)
    return list(caught.value.problems)


def test_entries_take_what_they_leave_out_from_the_defaults() -> None:
    """Credentials, state and variables; their own values win."""
    file = read(
        "version: 1\nlimits: { cost: 2000, concurrent: 20 }\n"
        "defaults: { credentials: { key: K, secret: S }, state: 'state/{path}.json', variables: { a: 1, b: yes } }\n"
        "projects:\n  - { manifests: a/*.yaml, project: proj_a, variables: { b: 2 } }\n"
        "  - { manifests: [b, c], project: proj_b, credentials: { key: BK, secret: BS } }\n"
    )
    assert file.limits == FleetLimits(cost=2000, concurrent=20)
    first, second = file.entries
    assert (first.credentials, second.credentials) == (
        CredentialNames(key="K", secret="S"),
        CredentialNames(key="BK", secret="BS"),
    )
    assert (first.variables, first.state) == ({"a": "1", "b": "2"}, "state/{path}.json")
    assert [glob.text for glob in second.globs] == ["b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "projects: { proj_a: { manifests: a/* } }",
        "manifests: [{ manifests: a/*, project: proj_a }]",
        "defaults: { project: proj_a }\nmanifests: a/*",
        "projects: [{ manifests: [a/*], project: proj_a }]",
    ],
)
def test_the_same_fleet_can_be_written_in_several_ways(text: str) -> None:
    """A map by project, a list, or the manifests alone."""
    (entry,) = read(f"version: 1\n{text}\n").entries
    assert (entry.project, [glob.text for glob in entry.globs]) == ("proj_a", ["a/*"])


def test_a_key_that_is_not_known_is_placed_and_guessed() -> None:
    (wrong,) = problems("version: 1\nlimits: { concurent: 2 }\nmanifests: a\n")
    assert (wrong.code, wrong.hint) == ("unknown-key", "did you mean concurrent?")
    assert str(wrong.location) == "fleet.yaml:2:11"


@pytest.mark.parametrize("value", ["aBc39dkd93kdLmmN3kd", "hunter2-hunter2", "sk-abcdefabcdefabcdef"])
def test_a_secret_in_place_of_a_name_is_refused_and_not_shown(value: str) -> None:
    """Neither in the message nor in the line that is quoted."""
    found = problems(f"version: 1\nprojects:\n  - manifests: a\n    credentials: {{ key: KEY, secret: {value} }}\n")
    assert [problem.code for problem in found] == ["not-a-variable"]
    assert value not in repr(found)


def test_a_url_with_a_password_is_refused_and_not_shown() -> None:
    found = problems("version: 1\nmanifests: a\ndefaults: { state: 'postgres://me:s3cretpass@db/x' }\n")
    assert "secret-in-file" in {problem.code for problem in found}
    assert "s3cretpass" not in repr(found)


def test_a_template_is_no_project() -> None:
    """They are not rendered here, and the error says so."""
    (wrong,) = problems('version: 1\nmanifests: a\ndefaults: { project: "{{ env.X }}" }\n')
    assert wrong.hint == "a fleet file has no templates: write the id"


def test_a_fleet_of_nothing_is_an_error() -> None:
    assert [problem.code for problem in problems("version: 1\n")] == ["missing-key"]
