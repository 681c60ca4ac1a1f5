"""dataset/lint/pixel_rules.py: hints about blurred, dark, bright and flat pictures, and about strays."""

from __future__ import annotations

from msgspec.structs import replace
from PIL import Image, ImageEnhance

from scenario_apply.dataset.lint.pixel_rules import blur_and_exposure, unlike_others
from scenario_apply.model.lint_rules import RULES, settings_from
from tests.dataset.lint.drawn import SIDE, blurred, icon, saved, scene, subject_with, summary


def codes(image: Image.Image, kind: str = "PNG") -> list[str]:
    subject, _ = subject_with({"a": summary(saved(image, kind))})
    return [one.code for one in blur_and_exposure(subject)]


def test_blurred_pictures_are_found_and_sharp_ones_are_not() -> None:
    """Q01, as PNG and as JPEG, of photographs and of icons on white."""
    for seed in range(5):
        for draw in (scene, icon):
            assert codes(draw(seed)) == []
            assert codes(draw(seed), "JPEG") == []
            assert codes(blurred(draw(seed), 5)) == ["Q01"]
            assert codes(blurred(draw(seed), 7), "JPEG") == ["Q01"]


def test_a_sharp_subject_before_a_blurred_ground_is_sharp() -> None:
    portrait = blurred(scene(1), 8)
    portrait.paste(scene(2).resize((90, 90)), (110, 110))
    assert codes(portrait) == []


def test_dark_bright_and_flat_pictures_are_found() -> None:
    """Q02; a dark picture with a light in it, and an icon on white or black, are not."""
    assert codes(ImageEnhance.Brightness(scene(3)).enhance(0.2)) == ["Q02"]
    assert codes(Image.blend(scene(3), Image.new("RGB", (SIDE, SIDE), "white"), 0.97)) == ["Q02"]
    assert codes(Image.new("RGB", (SIDE, SIDE), (120, 130, 140))) == ["Q02"]
    night = ImageEnhance.Brightness(scene(3)).enhance(0.2)
    night.paste((255, 240, 200), (40, 40, 90, 90))
    assert codes(night) == []
    drawing = Image.new("RGB", (SIDE, SIDE), "white")
    drawing.paste((30, 30, 30), (140, 140, 180, 180))
    assert codes(drawing) == []


def test_a_picture_unlike_all_others_is_a_hint() -> None:
    """D07: one black picture among bright ones; not half of a set, and not two pictures."""
    bright = {str(at): summary(saved(icon(at))) for at in range(6)}
    black = summary(saved(Image.new("RGB", (SIDE, SIDE))))
    subject, _ = subject_with({**bright, "black": black})
    assert [(one.code, one.file) for one in unlike_others(subject)] == [("D07", "black")]
    assert list(unlike_others(subject_with(bright)[0])) == []
    assert list(unlike_others(subject_with({"0": bright["0"], "black": black})[0])) == []
    scenes, _ = subject_with({str(at): summary(saved(scene(at))) for at in range(8)})
    assert list(unlike_others(scenes)) == []


def test_every_rule_takes_a_severity_by_code_and_by_name_and_its_thresholds_a_number() -> None:
    subject, _ = subject_with({"a": summary(saved(blurred(scene(1), 2)))})
    assert list(blur_and_exposure(subject)) == []
    settings, wrong = settings_from({"blur": 0.9})
    assert wrong == ()
    assert [one.code for one in blur_and_exposure(replace(subject, settings=settings))] == ["Q01"]
    for rule in RULES:
        for key in (rule.code, rule.name):
            settings, wrong = settings_from({key: "off"})
            assert (rule.code in settings.off) == (not wrong), key
        for name in rule.thresholds:
            assert settings_from({name: 7})[0].numbers[name] == 7
