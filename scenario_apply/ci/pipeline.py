"""What the environment says about the pipeline: GitHub Actions or GitLab CI, for which request, with which token.

Sources: docs.github.com, "Default environment variables"; docs.gitlab.com, "Predefined CI/CD variables".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from scenario_apply.ci.host_requests import object_of, whole_number
from scenario_apply.errors import UsageError
from scenario_apply.model.secret import Secret

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LARGEST_EVENT = 32 << 20


class Pipeline(Struct, frozen=True, kw_only=True):
    """repository: owner/name on GitHub, the project's number on GitLab. request: number of the pull or merge request.

    request, commit: None where the environment names none. graphql: of GitHub.
    """

    host: Literal["GitHub", "GitLab"]
    api: str
    graphql: str
    repository: str
    token: Secret
    request: int | None
    commit: str | None


def pipeline_of(environment: Mapping[str, str]) -> Pipeline:
    """Raises UsageError outside of a pipeline, and for variables that cannot be what they should be."""
    if environment.get("GITHUB_REPOSITORY"):
        return _github(environment)
    if environment.get("CI_PROJECT_ID"):
        return _gitlab(environment)
    raise UsageError(
        "this is no pipeline of GitHub or GitLab",
        hint="set GITHUB_REPOSITORY=owner/name and GITHUB_TOKEN, or CI_PROJECT_ID, CI_API_V4_URL and GITLAB_TOKEN",
    )


def _github(environment: Mapping[str, str]) -> Pipeline:
    repository = environment["GITHUB_REPOSITORY"]
    if not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise UsageError("GITHUB_REPOSITORY is not owner/name")
    api = (environment.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    return Pipeline(
        host="GitHub",
        api=api,
        graphql=environment.get("GITHUB_GRAPHQL_URL") or f"{api.removesuffix('/v3')}/graphql",
        repository=repository,
        token=_token(environment, "GITHUB_TOKEN", "GH_TOKEN"),
        request=_request_of_event(environment),
        commit=_commit(environment.get("GITHUB_SHA", "")),
    )


def _gitlab(environment: Mapping[str, str]) -> Pipeline:
    project = whole_number(environment["CI_PROJECT_ID"])
    if project is None:
        raise UsageError("CI_PROJECT_ID is not a number")
    return Pipeline(
        host="GitLab",
        api=(environment.get("CI_API_V4_URL") or "https://gitlab.com/api/v4").rstrip("/"),
        graphql="",
        repository=str(project),
        token=_token(environment, "GITLAB_TOKEN"),
        request=whole_number(environment.get("CI_MERGE_REQUEST_IID")),
        commit=_commit(environment.get("CI_COMMIT_SHA", "")),
    )


def _token(environment: Mapping[str, str], *names: str) -> Secret:
    text = next((environment[name] for name in names if environment.get(name)), "").strip()
    if not text:
        raise UsageError(f"{names[0]} is not set", hint="pass it to the step from the secrets of the pipeline")
    if not _TOKEN.fullmatch(text):
        raise UsageError(f"{names[0]} is no token: it holds a space or a character that is not ASCII")
    return Secret(text)


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None


def _request_of_event(environment: Mapping[str, str]) -> int | None:
    """The pull request that GitHub's event is about: of a pull_request, or of a comment on one."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            event = object_of(json.loads(file.read(_LARGEST_EVENT)))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH cannot be read: {path}") from error
    number = whole_number(object_of(event.get("pull_request")).get("number"))
    issue = object_of(event.get("issue"))
    return number or (whole_number(issue.get("number")) if "pull_request" in issue else None)
