"""What the lint rules check: a dataset's pictures with their captions, as found and as sent, and its pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.recipes import recipe_of, sent_size
from scenario_apply.dataset.types import Convention, Pair
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.lint_rules import Finding, LintSettings
from scenario_apply.model.picture_options import PictureOptions


class Picture(NamedTuple):
    """raw: the caption as found, on one line; None: none found. caption: as sent; None: Scenario writes it.

    at, line: where the caption is; None for one written in the manifest. line_count: its lines that are not empty.
    separator: what they were joined with. options: of the dataset.
    """

    path: str
    facts: Facts
    raw: str | None = None
    caption: str | None = None
    at: str | None = None
    line: int | None = None
    line_count: int = 1
    separator: str = " "
    options: PictureOptions = PictureOptions()

    @property
    def recipe(self) -> str:
        """What is done to it before it is sent; see dataset.recipes."""
        return recipe_of(self.facts, self.options)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as sent."""
        return sent_size(self.facts, self.options)

    @property
    def file(self) -> str:
        return self.facts.file

    def finding(self, code: str, what: str, hint: str | None = None, *, about_caption: bool = False) -> Finding:
        """A finding located at the picture's file, or at its caption."""
        if about_caption and self.at is not None:
            return Finding(code, what, self.at, self.line, hint)
        return Finding(code, what, self.file, None, hint)


class Subject(Struct, frozen=True, kw_only=True):
    """One dataset to check. types: the training types that use it. skipped_folders: not read, but with pictures."""

    spec: DatasetSpec
    types: tuple[str, ...]
    settings: LintSettings
    pictures: tuple[Picture, ...]
    pairs: tuple[Pair, ...] = ()
    junk: tuple[str, ...] = ()
    skipped_folders: Mapping[str, int] | None = None  # folder, relative to the root -> number of pictures
    layout: tuple[Convention, ...] = ()
    unread: frozenset[str] = frozenset()  # pictures whose caption could not be read, which is an error already
    reported: frozenset[str] = frozenset()  # codes reported while reading: no rule reports their consequences

    def number(self, name: str) -> float:
        """A threshold of lint_rules.RULES, as this dataset sets it."""
        return self.settings.numbers[name]

    @property
    def is_style(self) -> bool:
        """Whether it teaches a style, by the name or the trigger of the dataset: for styles more images are fine."""
        return "style" in f"{self.spec.name} {self.spec.trigger or ''}".casefold()

    @property
    def sound(self) -> tuple[Picture, ...]:
        """Pictures that are present and readable."""
        return tuple(p for p in self.pictures if not p.facts.fault and not p.facts.is_lfs_pointer)


def with_instructions(subject: Subject) -> list[Picture]:
    """The pictures that have a caption; for pairs, the after pictures, with the instruction as their caption."""
    if not subject.spec.is_pairs:
        return [picture for picture in subject.pictures if picture.caption is not None and picture.raw != ""]
    by_path = {picture.path: picture for picture in subject.pictures}
    return [by_path[pair.after]._replace(raw=pair.instruction, caption=pair.instruction) for pair in subject.pairs]
