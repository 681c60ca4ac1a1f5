"""Comments, issues and artifacts on GitHub, through its REST API, and GraphQL where REST has no such call.

Source: docs.github.com, REST API: issue comments, issues, commits, Actions artifacts; GraphQL: viewer, minimizeComment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenario_apply.ci.host_requests import HostError, HostRefused, HostRequests, Json, object_of, text_of, whole_number
from scenario_apply.ci.sticky_comment import HostComment
from scenario_apply.ci.tracking_issue import HostIssue

_NODES = 100  # in one query
_HIDDEN = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id isMinimized } } }"
_HIDE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)


class GitHub:
    """One repository. author: login of the token's account, asked for where it is not given."""

    def __init__(self, rest: HostRequests, graphql: HostRequests, repository: str, author: str | None = None) -> None:
        self._rest = rest
        self._graphql = graphql
        self._repository = f"/repos/{repository}"
        self._given_author = author

    @property
    def author(self) -> str:
        """The account that this token writes as. An app's token cannot read /user, but asks GraphQL who it is."""
        if self._given_author is None:
            viewer = object_of(self._query("query { viewer { login } }", {}).get("viewer"))
            login = text_of(viewer.get("login"))
            if not login:
                raise HostError(
                    "GitHub does not say whose token this is", hint="name the account: --author 'github-actions[bot]'"
                )
            self._given_author = login
        return self._given_author

    def comments_of(self, number: int) -> GitHubComments:
        return GitHubComments(self, self._rest, f"{self._repository}/issues", number)

    def is_own(self, value: Json) -> bool:
        """Whether this account wrote a comment or an issue. GraphQL leaves out the `[bot]` that REST shows."""
        user = object_of(value.get("user"))
        login = text_of(user.get("login")).lower()
        own = self.author.lower()
        return login == own or (user.get("type") == "Bot" and login == f"{own}[bot]")

    def hide(self, comments: Sequence[HostComment]) -> None:
        """Minimize comments that are still shown."""
        for start in range(0, len(comments), _NODES):
            nodes = [one.node for one in comments[start : start + _NODES]]
            answer = self._query(_HIDDEN, {"ids": nodes}).get("nodes")
            listed = [object_of(node) for node in answer] if isinstance(answer, list) else []
            hidden = {text_of(node.get("id")) for node in listed if node.get("isMinimized") is True}
            for node in nodes:
                if node not in hidden:
                    self._query(_HIDE, {"id": node})

    # -- issues

    def open_issues(self) -> list[HostIssue]:
        found = self._rest.pages(f"{self._repository}/issues", {"state": "open"})
        return [self._issue(value) for value in found if "pull_request" not in value]

    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> HostIssue:
        asked = {"title": title, "body": body, "labels": list(labels)}
        path = f"{self._repository}/issues"
        return self._issue(object_of(self._rest.send("POST", path, asked, repeats=False).value))

    def update_issue(self, issue: HostIssue, body: str) -> None:
        self._rest.send("PATCH", f"{self._repository}/issues/{issue.key}", {"body": body})

    def close_issue(self, issue: HostIssue) -> None:
        self._rest.send("PATCH", f"{self._repository}/issues/{issue.key}", {"state": "closed"})

    def _issue(self, value: Json) -> HostIssue:
        return HostIssue(
            key=str(_number(value, "number")),
            body=text_of(value.get("body")),
            url=text_of(value.get("html_url")),
            is_own=self.is_own(value),
        )

    # -- where a commit comes from, and what was planned for it

    def requests_of(self, commit: str) -> Iterator[Json]:
        """The pull requests that a commit belongs to."""
        return self._rest.pages(f"{self._repository}/commits/{commit}/pulls")

    def artifacts(self, name: str) -> Iterator[Json]:
        """The artifacts of that name, of all runs, the newest first."""
        return self._rest.pages(f"{self._repository}/actions/artifacts", {"name": name}, key="artifacts")

    def _query(self, query: str, variables: Json) -> Json:
        # A query that changes something hides a comment: done twice it is the same.
        answer = object_of(self._graphql.send("POST", "", {"query": query, "variables": variables}).value)
        errors = answer.get("errors")
        if isinstance(errors, list) and errors:
            message = text_of(object_of(errors[0]).get("message"))
            raise HostRefused(f"GitHub refused a GraphQL query: {message[:300]}", status=200)
        return object_of(answer.get("data"))


class GitHubComments:
    """The comments of one pull request, below the diff."""

    can_hide = True

    def __init__(self, owner: GitHub, rest: HostRequests, path: str, number: int) -> None:
        self._owner = owner
        self._rest = rest
        self._path = path
        self._number = number

    def comments(self) -> list[HostComment]:
        return [self._comment(value) for value in self._rest.pages(f"{self._path}/{self._number}/comments")]

    def create(self, body: str) -> HostComment:
        path = f"{self._path}/{self._number}/comments"
        return self._comment(object_of(self._rest.send("POST", path, {"body": body}, repeats=False).value))

    def update(self, comment: HostComment, body: str) -> HostComment:
        answer = self._rest.send("PATCH", f"{self._path}/comments/{comment.key}", {"body": body})
        return self._comment(object_of(answer.value))

    def delete(self, comment: HostComment) -> None:
        deleted(self._rest, f"{self._path}/comments/{comment.key}")

    def hide(self, comments: Sequence[HostComment]) -> None:
        self._owner.hide(comments)

    def _comment(self, value: Json) -> HostComment:
        return HostComment(
            key=str(_number(value, "id")),
            node=text_of(value.get("node_id")),
            body=text_of(value.get("body")),
            url=text_of(value.get("html_url")),
            is_own=self._owner.is_own(value),
        )


def deleted(requests: HostRequests, path: str) -> None:
    """Delete; what is gone already is deleted, too."""
    try:
        requests.send("DELETE", path)
    except HostRefused as error:
        if error.status not in (404, 410):
            raise


def _number(value: Json, key: str) -> int:
    number = whole_number(value.get(key))
    if number is None:
        raise HostError(f"GitHub's answer has no {key}")
    return number
