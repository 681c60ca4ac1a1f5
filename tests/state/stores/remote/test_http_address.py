"""Where an HTTP state server is asked, and who gets credentials."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.http_address import HttpAddress, http_address

PLAIN = "https://states.example/team/kael"
GITLAB = "https://gitlab.example/api/v4/projects/42/terraform/state/kael"
NOTHING: Mapping[str, str] = {}
LOGIN = {"TF_HTTP_USERNAME": "jane", "TF_HTTP_PASSWORD": "secret-word"}
JOB = {"CI_JOB_TOKEN": "job-token", "CI_API_V4_URL": "https://gitlab.example/api/v4"}


def address(url: str, environment: Mapping[str, str] = NOTHING, *, is_named: bool = True) -> HttpAddress:
    parsed = parse_state_url(url)
    return http_address(parsed.named() if is_named else parsed, environment)


def locks(found: HttpAddress) -> tuple[str, ...]:
    return found.lock_method, found.lock_path, found.unlock_method, found.unlock_path


def test_a_plain_server_locks_at_the_same_address() -> None:
    assert locks(address(PLAIN)) == ("LOCK", "/team/kael", "UNLOCK", "/team/kael")
    assert address(PLAIN).origin == "https://states.example"


def test_gitlab_locks_below_the_address() -> None:
    path = "/api/v4/projects/42/terraform/state/kael/lock"
    assert locks(address(GITLAB)) == ("POST", path, "DELETE", path)
    other = address("https://git.example/api/packages/team/terraform/state/kael")
    assert (other.lock_path[-10:], other.is_gitlab, address(GITLAB).is_gitlab) == ("/kael/lock", False, True)


def test_terraforms_variables_are_taken_for_their_address() -> None:
    said = {
        "TF_HTTP_LOCK_ADDRESS": "https://states.example:443/locks?of=kael",
        "TF_HTTP_LOCK_METHOD": "put",
        "TF_HTTP_UNLOCK_METHOD": "DELETE",
        "TF_HTTP_UPDATE_METHOD": "PUT",
    }
    found = address(PLAIN, {"TF_HTTP_ADDRESS": f"{PLAIN}/", **said})
    assert locks(found) == ("PUT", "/locks?of=kael", "DELETE", "/team/kael")
    assert found.update_method == "PUT"
    assert address(PLAIN, said) == found
    assert address(PLAIN, {"TF_HTTP_ADDRESS": f"{PLAIN}-2", **said}) == address(PLAIN)
    assert address(PLAIN, said, is_named=False) == address(PLAIN)


def test_a_lock_address_on_another_server_is_refused() -> None:
    """The credentials would go there."""
    with pytest.raises(StoreUnavailable, match="TF_HTTP_LOCK_ADDRESS is not an address on the server of the state"):
        address(PLAIN, {"TF_HTTP_LOCK_ADDRESS": "https://locks.example/kael"})
    with pytest.raises(StoreUnavailable, match="TF_HTTP_LOCK_METHOD is no method"):
        address(PLAIN, {"TF_HTTP_LOCK_METHOD": "LOCK\r\nX: y"})


@pytest.mark.parametrize(
    ("url", "is_named", "environment", "user"),
    [
        (PLAIN, True, LOGIN, "jane"),
        (PLAIN, False, LOGIN, ""),  # out of a manifest: the caller did not name the host
        (PLAIN, False, {**LOGIN, "TF_HTTP_ADDRESS": "https://STATES.example:443/other"}, "jane"),
        (PLAIN, True, {**LOGIN, "TF_HTTP_ADDRESS": "https://other.example/"}, ""),
        (PLAIN, True, {**LOGIN, "TF_HTTP_ADDRESS": "http://states.example/team/kael"}, ""),
        (PLAIN, True, JOB, ""),
        (GITLAB, False, JOB, "gitlab-ci-token"),
        (GITLAB, True, {**JOB, **LOGIN}, "jane"),
        (GITLAB.replace("https", "http"), True, JOB, ""),
        (GITLAB.replace("gitlab.example", "gitlab.example.evil.example"), True, JOB, ""),
        (GITLAB.replace("/api/v4", "/api/v4x"), True, JOB, ""),
        (PLAIN.replace("://", "://tim:pw@"), True, LOGIN, "tim"),
        (PLAIN, True, {}, ""),
    ],
)
def test_credentials_go_to_the_host_that_they_are_for(
    url: str, is_named: bool, environment: dict[str, str], user: str
) -> None:
    assert address(url, environment, is_named=is_named).user == user


def test_credentials_are_not_shown() -> None:
    assert "secret-word" not in repr(address(PLAIN, LOGIN))
