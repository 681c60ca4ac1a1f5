"""cli.review_links: commits and repository from the options, else from what the CI says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenario_apply.cli.review_links import flavour_of, picture_links
from scenario_apply.cli.settings import Settings
from scenario_apply.errors import UsageError

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
NONE = {"repo_url": None, "head": None, "base": None}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "art" / "kael").mkdir(parents=True)
    (tmp_path / "art" / "kael" / "1.png").write_bytes(b"")
    return tmp_path / "art"


def event(tmp_path: Path, value: object) -> str:
    (tmp_path / "event.json").write_text(json.dumps(value))
    return str(tmp_path / "event.json")


def test_a_pull_request_is_linked_at_its_own_head_and_base(root: Path) -> None:
    """Not at the commit that merges it, which GITHUB_SHA names; a fork's pictures are in the fork."""
    pull = {"head": {"sha": HEAD, "repo": {"full_name": "fork/r"}}, "base": {"sha": BASE}}
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": MERGE,
        "GITHUB_EVENT_PATH": event(root, {"pull_request": pull}),
    }
    links = picture_links(Settings(environment=environment), flavour_of(environment), str(root), NONE)
    assert links.page("kael/1.png", "head") == f"https://github.com/fork/r/blob/{HEAD}/art/kael/1.png"
    assert links.page("kael/1.png", "base") == f"https://github.com/o/r/blob/{BASE}/art/kael/1.png"
    assert links.page("kael/2.png", "head") is None, "no such file in the checkout"


def test_a_push_is_linked_at_its_commit_and_bad_events_are_no_error(root: Path) -> None:
    environment = {"GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": MERGE, "GITHUB_SERVER_URL": "https://git.example"}
    for content in (None, "{", "[]", '{"pull_request": 1}'):
        path = root / "event.json"
        path.write_text(content or "")
        settings = Settings(environment={**environment, "GITHUB_EVENT_PATH": str(path if content else root / "none")})
        links = picture_links(settings, "github", str(root), NONE)
        assert links.page("kael/1.png", "head") == f"https://git.example/o/r/blob/{MERGE}/art/kael/1.png"


@pytest.mark.parametrize(
    ("flavour", "environment", "start"),
    [
        (
            "gitlab",
            {
                "GITLAB_CI": "true",
                "CI_PROJECT_URL": "https://gitlab.com/g/p",
                "CI_COMMIT_SHA": HEAD,
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
            },
            "https://gitlab.com/g/p/-/blob/",
        ),
        (
            "bitbucket",
            {
                "BITBUCKET_BUILD_NUMBER": "1",
                "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/w/r",
                "BITBUCKET_COMMIT": HEAD,
                "BITBUCKET_PR_DESTINATION_COMMIT": BASE,
            },
            "https://bitbucket.org/w/r/src/",
        ),
    ],
)
def test_other_hosts_say_it_in_variables_of_their_own(
    root: Path, flavour: str, environment: dict[str, str], start: str
) -> None:
    assert flavour_of(environment) == flavour
    links = picture_links(Settings(environment=environment), flavour_of(environment), str(root), NONE)
    assert links.page("kael/1.png", "head") == f"{start}{HEAD}/art/kael/1.png"
    assert links.page("kael/1.png", "base") == f"{start}{BASE}/art/kael/1.png"


def test_options_come_before_the_environment_and_are_checked(root: Path) -> None:
    given = {"repo_url": "https://h/o/r/", "head": "abcdef1", "base": "1234567"}
    links = picture_links(Settings(environment={"GITHUB_REPOSITORY": "x/y"}), "github", str(root), given)
    assert links.page("kael/1.png", "head") == "https://h/o/r/blob/abcdef1/art/kael/1.png"
    assert links.page("kael/1.png", "base") == "https://h/o/r/blob/1234567/art/kael/1.png"
    for wrong in ({"repo_url": 'https://h/"onclick'}, {"repo_url": "javascript:x"}, {"head": "main"}, {"base": "a)"}):
        with pytest.raises(UsageError):
            picture_links(Settings(), "github", str(root), {**given, **wrong})


def test_without_a_checkout_there_are_no_links(tmp_path: Path) -> None:
    given = {"repo_url": "https://h/o/r", "head": "abcdef1", "base": None}
    assert picture_links(Settings(), "github", str(tmp_path), given).head is None
