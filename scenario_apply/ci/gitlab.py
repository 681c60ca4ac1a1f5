"""Notes and issues on GitLab, through its REST API.

Source: docs.gitlab.com, REST API: notes, issues, users. GitLab cannot hide a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenario_apply.ci.github import deleted
from scenario_apply.ci.host_requests import HostError, HostRequests, Json, object_of, text_of, whole_number
from scenario_apply.ci.sticky_comment import HostComment
from scenario_apply.ci.tracking_issue import HostIssue


class GitLab:
    """One project. author: user name of the token's account, asked for where it is not given."""

    def __init__(self, rest: HostRequests, project: str, author: str | None = None) -> None:
        self._rest = rest
        self._project = f"/projects/{project}"
        self._given_author = author

    @property
    def author(self) -> str:
        if self._given_author is None:
            name = text_of(object_of(self._rest.get("/user").value).get("username"))
            if not name:
                raise HostError("GitLab does not say whose token this is", hint="name the account: --author NAME")
            self._given_author = name
        return self._given_author

    def comments_of(self, number: int) -> GitLabNotes:
        return GitLabNotes(self, self._rest, f"{self._project}/merge_requests/{number}/notes")

    def is_own(self, value: Json) -> bool:
        """Whether this account wrote a note or an issue."""
        return text_of(object_of(value.get("author")).get("username")).lower() == self.author.lower()

    # -- issues

    def open_issues(self) -> list[HostIssue]:
        return [self._issue(value) for value in self._rest.pages(f"{self._project}/issues", {"state": "opened"})]

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> HostIssue:
        asked = {"title": title, "description": body, "labels": ",".join(labels)}
        return self._issue(object_of(self._rest.send("POST", f"{self._project}/issues", asked, repeats=False).value))

    def update_issue(self, issue: HostIssue, body: str) -> None:
        self._rest.send("PUT", f"{self._project}/issues/{issue.key}", {"description": body})

    def close_issue(self, issue: HostIssue) -> None:
        self._rest.send("PUT", f"{self._project}/issues/{issue.key}", {"state_event": "close"})

    def _issue(self, value: Json) -> HostIssue:
        return HostIssue(
            key=str(_number(value, "iid")),
            body=text_of(value.get("description")),
            url=text_of(value.get("web_url")),
            is_own=self.is_own(value),
        )

    def requests_of(self, commit: str) -> Iterator[Json]:
        """The merge requests that a commit belongs to."""
        return self._rest.pages(f"{self._project}/repository/commits/{commit}/merge_requests")


class GitLabNotes:
    """The notes of one merge request. GitLab's own notes on what happened are left out."""

    can_hide = False

    def __init__(self, owner: GitLab, rest: HostRequests, path: str) -> None:
        self._owner = owner
        self._rest = rest
        self._path = path

    def comments(self) -> list[HostComment]:
        found = self._rest.pages(self._path, {"sort": "asc", "order_by": "created_at"})
        return [self._note(value) for value in found if value.get("system") is not True]

    def create(self, body: str) -> HostComment:
        return self._note(object_of(self._rest.send("POST", self._path, {"body": body}, repeats=False).value))

    def update(self, comment: HostComment, body: str) -> HostComment:
        return self._note(object_of(self._rest.send("PUT", f"{self._path}/{comment.key}", {"body": body}).value))

    def delete(self, comment: HostComment) -> None:
        deleted(self._rest, f"{self._path}/{comment.key}")

    def hide(self, comments: Sequence[HostComment]) -> None:
        raise AssertionError("notes cannot be hidden")

    def _note(self, value: Json) -> HostComment:
        number = _number(value, "id")
        return HostComment(
            key=str(number),
            node="",
            body=text_of(value.get("body")),
            url=f"note {number}",
            is_own=self._owner.is_own(value),
        )


def _number(value: Json, key: str) -> int:
    number = whole_number(value.get(key))
    if number is None:
        raise HostError(f"GitLab's answer has no {key}")
    return number
