"""review.recipe_words: what is done to pictures, in words."""

from __future__ import annotations

from scenario_apply.review.recipe_words import altered_lines, recipe_words
from scenario_apply.review.screen import Screen


def test_every_alteration_has_words() -> None:
    recipe = "orient;strip;icc=srgb;background=#ffffff;max_side=2048;convert=png"
    assert recipe_words(recipe) == [
        "turned upright",
        "metadata removed",
        "colours converted to sRGB",
        "flattened on #ffffff",
        "scaled down to 2048 pixels",
        "converted to PNG",
    ]
    assert recipe_words("") == recipe_words("?") == []


def test_a_line_counts_and_v_names_each() -> None:
    recipes = [("1.jpg", "orient;strip"), ("2.jpg", "strip"), ("3.png", ""), ("4.png", "?")]
    short = "2 of 4 images altered before sending: 2 metadata removed, 1 turned upright"
    found = altered_lines(recipes, Screen(width=100, color=False), 0)
    assert sorted(found[0].partition(": ")[2].split(", ")) == sorted(short.partition(": ")[2].split(", "))
    assert found[0].startswith("2 of 4 images altered before sending: ")
    assert altered_lines(recipes, Screen(width=100, color=False, verbose=True), 2)[1:] == [
        "    1.jpg: turned upright, metadata removed",
        "    2.jpg: metadata removed",
    ]
    assert altered_lines([("3.png", "")], Screen(width=100, color=False), 0) == []
