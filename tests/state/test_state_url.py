"""URLs of states: every spelling is a URL, a path, or an error that says what to write."""

from __future__ import annotations

import pytest

from scenario_apply.state.state_url import BadStateUrl, parse_state_url
from scenario_apply.state.url_texts import is_state_url, without_password


@pytest.mark.parametrize(
    ("text", "shown", "host", "path"),
    [
        ("s3://bucket/team/kael.json", "s3://bucket/team/kael.json", "bucket", "team/kael.json"),
        ("gs://bucket/", "gs://bucket/hero.json", "bucket", "hero.json"),
        ("az://states/team/", "az://states/team/hero.json", "states", "team/hero.json"),
        ("postgres://host/db", "postgres://host/db/hero", "host", "hero"),
        ("postgresql://kael:pw@HOST:5432/db/team/", "postgres://host/db/team/hero", "host", "team/hero"),
        ("postgres:///db/x", "postgres:///db/x", "", "x"),
        ("postgres://%2Fvar%2Frun/db/x", "postgres://%2Fvar%2Frun/db/x", "/var/run", "x"),
        ("postgres://[::1]:77/db/x", "postgres://[::1]:77/db/x", "::1", "x"),
        ("https://u:p@host:443/a%2Fb/kael", "https://host/a%2Fb/kael", "host", "/a%2Fb/kael"),
        ("https://host:8443/states/", "https://host:8443/states/hero", "host", "/states/hero"),
        ("http://127.0.0.1:80/kael", "http://127.0.0.1/kael", "127.0.0.1", "/kael"),
    ],
)
def test_what_a_url_names(text: str, shown: str, host: str, path: str) -> None:
    """Two spellings of one state show the same; one that ends before a name takes the manifest's."""
    url = parse_state_url(text, "hero")
    assert (url.shown, url.host, url.path) == (shown, host, path)
    assert parse_state_url(url.shown).shown == shown
    assert "pw" not in f"{url} {url!r}"


def test_user_and_password_are_decoded_and_kept_apart_from_what_is_shown() -> None:
    url = parse_state_url("postgres://team%40x:p%2Fw@host:6543/db/kael")
    assert (url.user, url.password, url.port, url.database) == ("team@x", "p/w", 6543, "db")
    assert url.written == "postgres://team%40x@host:6543/db/kael"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("s3://bucket", "names no path"),
        ("s3:///kael.json", "names no bucket"),
        ("az://../kael.json", "names no container"),
        ("s3://bucket/kael", "does not end in .json"),
        ("s3://bucket/.json", "does not end in .json"),
        ("s3://bucket/a/../kael.json", "or .. in its path"),
        ("s3://bucket//kael.json", "empty part"),
        ("s3://bucket/kael.json?versionId=1", "query or a fragment"),
        ("s3://bucket/kael.json#1", "query or a fragment"),
        ("s3://bucket/ka\nel.json", "control characters"),
        ("s3://bucket/ka%20el.json", "'%' in its path"),
        ("s3://key:pa55@bucket/kael.json", "holds credentials"),
        (f"s3://bucket/{'k' * 900}.json", "more than 800 bytes"),
        ("postgres://host", "names no database"),
        ("postgres://host1,host2/db/x", "names no host"),
        ("postgres://u:pa55@host/db?sslmode=require", "query or a fragment"),
        ("postgres://u:pa55/w@host/db", "is not encoded"),
        ("postgres://u:***@host/db", "was not printed"),
        ("https://host", "names no path"),
        ("https:///path", "names no host"),
        ("https://host:99999/x", "is no port"),
        ("https://host/%2e%2E/x", "or .. in its path"),
        ("https://host/a%2f..%2fx", "or .. in its path"),
        ("https://host/a%00b", "in its path"),
    ],
)
def test_a_url_that_names_no_state_says_what_to_write(text: str, what: str) -> None:
    """The error does not repeat the URL: it may hold a password."""
    with pytest.raises(BadStateUrl, match=what) as caught:
        parse_state_url(text, "hero")
    assert caught.value.hint
    assert "pa55" not in f"{caught.value.what} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("S3:/x", "write s3://BUCKET/"),
        ("s3//bucket/x.json", "write s3://BUCKET/"),
        ("s3:bucket", "write s3://BUCKET/"),
        ("s3:\\\\bucket\\x", "write s3://BUCKET/"),
        (" s3://bucket/x.json", "write s3://BUCKET/"),
        ("gcs://bucket/x.json", "write gs://BUCKET/"),
        ("azure:x", "write az://CONTAINER/"),
        ("file:///x.json", "write the path itself"),
        ("ftp://host/x.json", "use a path, s3://"),
        ("ssh+x:/y", "use a path, s3://"),
        ("://x", "use a path, s3://"),
    ],
)
def test_other_schemes_are_errors_and_no_folders(text: str, hint: str) -> None:
    assert is_state_url(text)
    with pytest.raises(BadStateUrl) as caught:
        parse_state_url(text, "hero")
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["s3://bucket/", "postgres://host/db", "https://host/", "az://states/team/"])
def test_without_a_manifest_the_name_has_to_be_written(text: str) -> None:
    with pytest.raises(BadStateUrl, match="does not name the state itself"):
        parse_state_url(text)


@pytest.mark.parametrize(
    "text", ["state/kael.json", "/a/b.json", "C:/kael.json", "c:\\kael.json", "a:b", "./s3:/x.json"]
)
def test_paths_stay_paths(text: str) -> None:
    assert not is_state_url(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--state=postgres://kael:pa55@host/db/x", "--state=postgres://kael:***@host/db/x"),
        ("postgres://kael:p/w@55@host/db/x", "postgres://kael:***@host/db/x"),
        ("postgres://kael@host/db/x", "postgres://kael@host/db/x"),
        ("https://glpat-pa55@host/x", "https://***@host/x"),
        ("https://glpat-pa55:@host/x", "https://***@host/x"),
        ("s3://key:pa55@bucket/x.json", "s3://***@bucket/x.json"),
        ("state: https://host/x?token=pa55", "state: https://host/x?***"),
        ("postgres://u:p?w@host/db/x?sslpassword=pa55", "postgres://u:***@host/db/x?***"),
        ("did you? https://host/x", "did you? https://host/x"),
        ("s3://bucket/a@b.json", "s3://bucket/a@b.json"),
        ("model.kael", "model.kael"),
    ],
)
def test_a_url_is_printed_without_its_password(text: str, shown: str) -> None:
    assert without_password(text) == shown
