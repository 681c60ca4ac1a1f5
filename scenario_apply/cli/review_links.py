"""Which commits a plan is reviewed between, and where their files are: from the options, else from the CI's variables.

Sources: docs.github.com, "Default environment variables" and the payload of pull_request; docs.gitlab.com, "Predefined
CI/CD variables"; support.atlassian.com, "Variables and secrets"; learn.microsoft.com, "Use predefined variables".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.cli.checkout import checkout_of
from scenario_apply.errors import UsageError
from scenario_apply.review.markdown.picture_links import Commit, Flavour, PictureLinks

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings

_SHA = re.compile(r"[0-9a-f]{7,64}")
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/%+-]{0,500}")
_LARGEST_EVENT = 10_000_000  # bytes; GitHub's payloads have at most 25 MB, those of pull requests a few hundred kB
_RUNS_ON: tuple[tuple[str, Flavour], ...] = (
    ("GITHUB_ACTIONS", "github"),
    ("GITLAB_CI", "gitlab"),
    ("BITBUCKET_BUILD_NUMBER", "bitbucket"),
    ("TF_BUILD", "azure"),
)


def flavour_of(environment: Mapping[str, str]) -> Flavour:
    """The host whose CI runs this; GitHub where none does."""
    return next((flavour for name, flavour in _RUNS_ON if environment.get(name)), "github")


def picture_links(settings: Settings, flavour: Flavour, root: str, given: Mapping[str, str | None]) -> PictureLinks:
    """Links to the pictures below the manifest's root. given: repo_url, head and base of the command line.

    Without a checkout of Git, or a repository and a commit, there are none. Raises UsageError for values that are no
    address or commit: they would end up in links.
    """
    here = os.path.realpath(root)
    top = checkout_of(here)
    if top is None:
        return PictureLinks(flavour=flavour)
    head, base = _commits(settings.environment, flavour)
    url = given.get("repo_url")
    if url is not None and not _URL.fullmatch(url):
        raise UsageError(f"--repo-url {url}: expected the http(s) address of a repository")
    head = _given(given.get("head"), "--head", url, head)
    base = _given(given.get("base"), "--base", url, base or head)
    folder = os.path.relpath(here, top).replace(os.sep, "/")
    return PictureLinks(
        flavour=flavour,
        head=head,
        base=base if base is not head else None,
        folder="" if folder == "." else folder,
        is_file=lambda file: os.path.isfile(os.path.join(here, file)),
    )


def _given(sha: str | None, option: str, url: str | None, found: Commit | None) -> Commit | None:
    """A commit of the command line over one that was found; an address alone replaces that of what was found."""
    if sha is not None and not _SHA.fullmatch(sha):
        raise UsageError(f"{option} {sha}: expected the id of a commit, 7 to 64 hexadecimal digits")
    address, commit = url or (found.url if found else None), sha or (found.sha if found else None)
    return None if address is None or commit is None else Commit(url=address.rstrip("/"), sha=commit)


def _commits(environment: Mapping[str, str], flavour: Flavour) -> tuple[Commit | None, Commit | None]:
    """Head and base, as far as the CI names them."""
    match flavour:
        case "github":
            return _github(environment)
        case "gitlab":
            url = environment.get("CI_PROJECT_URL")
            source = environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_URL") or url
            sha = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA")
            return _commit(source, sha), _commit(url, environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"))
        case "bitbucket":
            url = environment.get("BITBUCKET_GIT_HTTP_ORIGIN")
            base = environment.get("BITBUCKET_PR_DESTINATION_COMMIT")
            return _commit(url, environment.get("BITBUCKET_COMMIT")), _commit(url, base)
        case "azure":
            url = environment.get("BUILD_REPOSITORY_URI")
            sha = environment.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or environment.get("BUILD_SOURCEVERSION")
            return _commit(url, sha), None


def _github(environment: Mapping[str, str]) -> tuple[Commit | None, Commit | None]:
    """Of a pull request, its own head, which may lie in a fork; GITHUB_SHA would be the commit that merges it."""
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    repository = environment.get("GITHUB_REPOSITORY")
    url = f"{server}/{repository}" if repository else None
    pull = _part(_event(environment.get("GITHUB_EVENT_PATH")), "pull_request")
    head, base = _part(pull, "head"), _part(pull, "base")
    fork = _part(head, "repo").get("full_name")
    source = f"{server}/{fork}" if isinstance(fork, str) else url
    found = _commit(source, head.get("sha"))
    return found or _commit(url, environment.get("GITHUB_SHA")), _commit(url, base.get("sha"))


def _commit(url: object, sha: object) -> Commit | None:
    if not isinstance(url, str) or not isinstance(sha, str) or not _URL.fullmatch(url) or not _SHA.fullmatch(sha):
        return None
    return Commit(url=url.rstrip("/"), sha=sha)


def _part(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = value.get(key)
    return part if isinstance(part, dict) else {}


def _event(path: str | None) -> Mapping[str, object]:
    """The payload of the event that started a workflow; nothing where there is none, or none that can be read."""
    if not path:
        return {}
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError, RecursionError):
        return {}  # links to the pictures are a convenience: without them, a plan is as right
    return value if isinstance(value, dict) else {}
