"""model.remote_urls: which URLs can be read at all, and which the caller consents to."""

from __future__ import annotations

import pytest

from scenario_apply.model.remote_urls import RemoteAccess, has_credentials, remote_access, url_problem

USUAL = """
s3://bucket/set s3://bucket gs://my-bucket/set/more az://container/set/1.png s3://bucket/what?.png
https://host/a/1.png http://127.0.0.1:80/1.png https://[::1]/1.png
"""


@pytest.mark.parametrize("url", USUAL.split())
def test_usual_urls_have_no_problem(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:secret@host/1.png", "password"),
        ("s3://key:secret@bucket/set", "password"),
        ("https://host/1.png?X-Amz-Signature=abc", "query"),
        ("https://host?sig=abc", "query"),
        ("hf://datasets/a/b", "not supported"),
        ("ftp://host/set", "not supported"),
        ("file:///etc/passwd", "not supported"),
        ("s3:///set", "no bucket"),
        ("s3://a..b/set", "no bucket"),
        ("s3://127.0.0.1:9000/set", "no bucket"),
        ("https:///1.png", "no host"),
        ("https://host:99999/1.png", "no host"),
        ("s3://bucket/../other", "not the URL"),
        ("https://host/a/%2e%2E/b.png", "not the URL"),
        ("https://host/a\nb", "not the URL"),
        ("s3://bucket/set.zip", "zip files"),
        ("https://host/set.zip/1.png", "zip files"),
    ],
)
def test_a_url_that_cannot_be_read_is_explained(url: str, said: str) -> None:
    problem = url_problem(url)
    assert problem is not None
    assert said in problem[0]
    assert "secret" not in problem[0] + problem[1]


def test_a_question_mark_in_a_key_of_a_bucket_is_a_glob_and_no_query() -> None:
    assert not has_credentials("s3://bucket/set/0?.png")


@pytest.mark.parametrize("text", ["", "0", "no", "true", "2", "bucket/set", "https://user:secret@host/"])
def test_only_1_or_urls_are_consent(text: str) -> None:
    """A word that may mean either is none."""
    access = remote_access(text, asked=False, allow_http=False)
    assert not access.permits("https://host/1.png")
    assert not access.permits("s3://bucket/set")


def test_a_named_url_permits_what_lies_below_it() -> None:
    access = remote_access("s3://bucket/sets/, https://host/a", asked=False, allow_http=False)
    assert access.permits("s3://bucket/sets/kael")
    assert access.permits("https://host/a/1.png")
    assert access.permits("https://host/a")
    for other in (
        "s3://bucket/sets-of-others",
        "s3://bucket2/sets/kael",
        "https://host/ab",
        "https://host.evil/a/1.png",
    ):
        assert not access.permits(other)


def test_consent_to_everything_names_nothing() -> None:
    """Private addresses need a name."""
    access = remote_access("1", asked=False, allow_http=False)
    assert access == remote_access("", asked=True, allow_http=False) == RemoteAccess(everything=True)
    assert access.permits("https://10.0.0.1/1.png")
    assert not access.names("https://10.0.0.1/1.png")
