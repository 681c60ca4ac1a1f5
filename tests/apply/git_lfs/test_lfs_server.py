"""apply.git_lfs.lfs_server: the address that git-lfs would ask, and nothing else of a configuration."""

from __future__ import annotations

import pytest

from scenario_apply.apply.git_lfs.lfs_server import LfsServer, server_of

URL = "https://example.org/art.git"
HEAD = "ref: refs/heads/main"


def found(own: dict[str, str], shared: dict[str, str] | None = None, head: str = HEAD) -> LfsServer | None:
    return server_of(list(own.items()), list((shared or {}).items()), head=head, top="/home/art")


@pytest.mark.parametrize(
    ("own", "shared", "url"),
    [
        ({"remote.origin.url": URL}, {}, URL),
        ({"remote.origin.url": "git@example.org:art.git"}, {}, "git@example.org:art.git"),
        ({"remote.origin.url": "../art store.git"}, {}, "file:///home/art/../art%20store.git"),
        ({"remote.upstream.url": URL}, {}, URL),
        ({"remote.a.url": "/x", "remote.b.url": URL, "branch.main.remote": "b"}, {}, URL),
        ({"remote.origin.url": "/x", "remote.origin.lfsurl": URL}, {}, URL),
        ({"remote.origin.url": "/x", "lfs.url": URL}, {"lfs.url": "/y"}, URL),
        ({"remote.origin.url": "/x"}, {"lfs.url": URL}, URL),
        ({"remote.origin.url": "/x"}, {"remote.origin.lfsurl": URL}, URL),
        ({"remote.origin.url": URL}, {"remote.origin.url": "/x"}, URL),
    ],
)
def test_the_address_is_chosen_as_git_lfs_does(own: dict[str, str], shared: dict[str, str], url: str) -> None:
    server = found(own, shared)
    assert server is not None
    assert server.url == url
    assert server.is_from_lfsconfig is (own.get("remote.origin.url") == "/x" and "lfs.url" not in own and bool(shared))


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c env",
        "ssh://-oProxyCommand=env/x",
        "-oProxyCommand=env:x",
        "https://-x/",
        "https://example.org/a\nb",
        "file://host/x",
        "ftp://example.org/x",
        "fd::17",
    ],
)
def test_an_address_that_may_start_a_program_is_not_taken(url: str) -> None:
    assert found({"remote.origin.url": url}) is None


def test_the_headers_of_the_checkout_belong_to_its_server_and_are_not_shown() -> None:
    """As actions/checkout leaves them; a password in the address is not shown either."""
    key = "http.https://example.org/.extraheader"
    server = found({"remote.origin.url": "https://me:secret@example.org/art.git", key: "AUTHORIZATION: basic s3"})
    assert server is not None
    assert server.headers == ((key, "AUTHORIZATION: basic s3"),)
    assert server.shown == URL
    assert "s3" not in repr(server)


def test_a_header_for_every_address_is_not_sent_to_one_of_lfsconfig() -> None:
    own = {"remote.origin.url": "/x", "http.extraheader": "AUTHORIZATION: basic s3"}
    with_own, with_shared = found(own), found(own, {"lfs.url": URL})
    assert with_own is not None
    assert with_shared is not None
    assert (len(with_own.headers), len(with_shared.headers)) == (1, 0)
