"""dataset.captions.matching: which caption belongs to which picture."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.dataset.captions.matching import Lookup, from_file_name, match_rows, orphan_findings
from scenario_apply.dataset.captions.sidecars import find_sidecars
from scenario_apply.dataset.captions.table_entries import CaptionRow
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import natural_key, nearest, nfc
from scenario_apply.model.globs import glob_pattern


def entry(path: str) -> FileEntry:
    return FileEntry(path, "set/" + path, 1, 1, 1)


def test_a_sidecar_fits_by_stem_or_whole_name() -> None:
    images = [entry("a.jpg"), entry("a.png"), entry("b.png")]
    texts = {name: entry(name) for name in ("a.jpg.txt", "a.png.txt", "b.caption")}
    found = find_sidecars(images, texts, None)
    assert {image: text.path for image, text in found.of.items()} == {
        "a.jpg": "a.jpg.txt",
        "a.png": "a.png.txt",
        "b.png": "b.caption",
    }
    assert not found.findings
    assert not found.orphans


def test_a_caption_of_an_excluded_picture_is_no_orphan() -> None:
    found = find_sidecars([entry("a.png")], {"a.txt": entry("a.txt"), "b.txt": entry("b.txt")}, None, {"b.png"})
    assert not found.orphans


def test_a_caption_without_an_image_names_only_images_that_lack_one() -> None:
    images = [entry("fox_11.jpg"), entry("owl_1.jpg")]
    orphans = [entry("fox_12.txt"), entry("owl_2.txt")]
    fox, owl = orphan_findings(orphans, images, ["fox_11.jpg"])
    assert (fox.what, fox.hint) == ("fox_12.txt has no image", "delete it, or restore fox_12.jpg")
    assert owl.hint == "rename it to owl_1.txt if it belongs to owl_1.jpg"


def test_keys_are_names_paths_or_stems_in_any_unicode_form() -> None:
    images = [entry("poses/café.png"), entry("b.jpg")]
    lookup = Lookup(images)
    nfd = unicodedata.normalize("NFD", "café")
    for key in ("poses/café.png", "café.png", "café", nfd, "./poses/café.png", "set/poses/café.png", "poses\\café.png"):
        assert lookup.find(key).images == [images[0]], key
    assert lookup.find("/somebody/else/b.jpg").images == [images[1]]
    assert lookup.find("c").images == []
    raws, findings = match_rows([CaptionRow("bb.jpg", "fox", 3)], lookup, file="c.yaml")
    assert not raws
    assert findings[0].hint == "did you mean b.jpg?"


def test_file_names_become_captions_without_their_counters() -> None:
    assert from_file_name("x/01_red-cloak_forest.png") == "red-cloak forest"
    assert from_file_name("007.png") == "007"


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_is_that_of_the_numbers(numbers: list[int]) -> None:
    assert sorted((f"img{n}.png" for n in numbers), key=natural_key) == [f"img{n}.png" for n in sorted(numbers)]


@given(st.lists(st.text(max_size=8), max_size=6))
def test_natural_order_takes_any_name(names: list[str]) -> None:
    assert sorted(sorted(names), key=natural_key) == sorted(sorted(names, reverse=True), key=natural_key) or len(
        {natural_key(name) for name in names}
    ) < len(names)


def test_globs() -> None:
    for pattern, path, fits in [
        ("*.png", "a.png", True),
        ("*.png", "b/a.png", False),
        ("**/*.png", "a.png", True),
        ("**/*.png", "b/c/a.png", True),
        ("b/**", "b/c/a.png", True),
        ("[ab]?.png", "b1.png", True),
        ("[!ab]?.png", "b1.png", False),
        ("a.png", "axpng", False),
    ]:
        assert bool(glob_pattern(pattern).fullmatch(path)) is fits, (pattern, path)


def test_the_nearest_name_ignores_case_first() -> None:
    assert nearest("hero.PNG", ["her.png", "Hero.png"]) == "Hero.png"
    assert nearest("hero", ["castle"]) is None
    assert nfc("plain") == "plain"
