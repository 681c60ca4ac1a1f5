"""review.markdown.picture_links: where a file is in Git, on each host."""

from __future__ import annotations

import pytest

from scenario_apply.review.markdown.picture_links import Commit, Flavour, PictureLinks, Side


def links(flavour: Flavour, url: str, folder: str = "art") -> PictureLinks:
    return PictureLinks(
        flavour=flavour, head=Commit(url=url, sha="aaaaaaa"), base=Commit(url=url, sha="bbbbbbb"), folder=folder
    )


@pytest.mark.parametrize(
    ("flavour", "url", "side", "page", "image"),
    [
        ("github", "https://h/o/r", "head", "/blob/aaaaaaa/art/k/1.png", "/blob/aaaaaaa/art/k/1.png?raw=true"),
        ("github", "https://h/o/r", "base", "/blob/bbbbbbb/art/k/1.png", "/blob/bbbbbbb/art/k/1.png?raw=true"),
        ("gitlab", "https://h/g/s/p", "head", "/-/blob/aaaaaaa/art/k/1.png", "/-/raw/aaaaaaa/art/k/1.png"),
        ("bitbucket", "https://h/w/r", "head", "/src/aaaaaaa/art/k/1.png", None),
        ("azure", "https://h/o/p/_git/r", "head", "?path=/art/k/1.png&version=GCaaaaaaa", None),
    ],
)
def test_a_file_has_the_address_that_its_host_gives_it(
    flavour: Flavour, url: str, side: Side, page: str, image: str | None
) -> None:
    found = links(flavour, url)
    assert found.page("k/1.png", side) == f"{url}{page}"
    assert found.image("k/1.png", side) == (None if image is None else f"{url}{image}")


def test_names_are_quoted_and_folders_joined() -> None:
    found = links("github", "https://h/o/r")
    assert found.page('../x y/ä|`)".png', "head") == "https://h/o/r/blob/aaaaaaa/x%20y/%C3%A4%7C%60%29%22.png"
    assert links("github", "https://h/o/r", "").page("./1.png", "head") == "https://h/o/r/blob/aaaaaaa/1.png"


def test_what_is_not_in_the_repository_has_no_address() -> None:
    """Outside of it, on the web, in a bucket, within an archive, or where the commit is not known."""
    found = links("github", "https://h/o/r")
    for file in ("../../1.png", "/etc/1.png", "s3://bucket/1.png", None):
        assert found.page(file, "head") is None
    assert PictureLinks().page("1.png", "head") is None
    packed = PictureLinks(head=found.head, is_file=lambda file: file != "k.zip/1.png")
    assert packed.image("k.zip/1.png", "head") is None
    assert packed.image("1.png", "base") is None
