"""Matches caption files with the pictures beside them: 01.txt, 01.caption or 01.png.txt for 01.png."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import IMAGE_SUFFIXES, SIDECAR_SUFFIXES, is_prose, name_of, stem_of, suffix_of
from scenario_apply.model.lint_rules import Finding


class Sidecars(NamedTuple):
    """of: image path -> its caption file. orphans: caption files without an image.

    spare: paths of other caption files of those images, which the findings name.
    """

    of: Mapping[str, FileEntry]
    orphans: tuple[FileEntry, ...]
    findings: tuple[Finding, ...]
    spare: frozenset[str] = frozenset()


def find_sidecars(
    images: Sequence[FileEntry], texts: Mapping[str, FileEntry], suffix: str | None, excluded: Iterable[str] = ()
) -> Sidecars:
    """The caption file of each image. Endings are the same in capitals. Two caption files of one image are C17.

    suffix: the only ending to accept; None: the usual ones. excluded: paths of images left out on purpose.
    """
    # The key of a text is where it belongs, which for pairs is not where it lies.
    texts = {path: entry if entry.path == path else entry._replace(path=path) for path, entry in texts.items()}
    bases = _by_base(texts.values(), (suffix.lower(),) if suffix else SIDECAR_SUFFIXES)
    of: dict[str, FileEntry] = {}
    findings: list[Finding] = []
    alone = _without_full_name(images, bases)
    owners: dict[str, list[FileEntry]] = {}
    for image in images:
        stem = stem_of(image.path)
        found = [*bases.get(image.path, ())]
        if stem != image.path and (not found or stem not in alone):
            found += bases.get(stem, ())
        if len(found) > 1:
            names = " and ".join(name_of(entry.file) for entry in found)
            findings.append(
                Finding("C17", f"{name_of(image.path)} has two captions: {names}", image.file, hint="keep one of them")
            )
        if found:
            of[image.path] = found[0]
            for entry in found:
                owners.setdefault(entry.path, []).append(image)
    for path, shared in owners.items():
        if len(shared) > 1:
            findings.append(_shared(texts[path], shared))
    left = {
        entry.path: base
        for base, entries in bases.items()
        for entry in entries
        if entry.path not in owners and not is_prose(name_of(entry.path))
    }
    if left:
        more, loose = _loosely(left, texts, [image for image in images if image.path not in of], images, excluded)
        of |= more
        findings += loose
    orphans = tuple([texts[path] for path in sorted(left)])
    return Sidecars(of, orphans, tuple(findings), frozenset(owners))


def _by_base(entries: Iterable[FileEntry], suffixes: Sequence[str]) -> dict[str, list[FileEntry]]:
    """Caption files by their paths without the ending."""
    bases: dict[str, list[FileEntry]] = {}
    for suffix in suffixes:
        for entry in entries:
            if entry.path[-len(suffix) :].lower() == suffix:
                bases.setdefault(entry.path[: -len(suffix)], []).append(entry)
    return bases


def _without_full_name(images: Sequence[FileEntry], bases: Mapping[str, object]) -> frozenset[str]:
    """Stems that another image needs: a.txt belongs to a.jpg where a.png has a.png.txt."""
    return frozenset(stem_of(image.path) for image in images if image.path not in bases)


def _shared(text: FileEntry, owners: Sequence[FileEntry]) -> Finding:
    names = " and ".join(name_of(owner.path) for owner in owners)
    hint = f"name the captions {', '.join(name_of(owner.path) + '.txt' for owner in owners[:3])}"
    return Finding("C05", f"{names} share the caption {name_of(text.file)}", text.file, hint=hint)


def _loosely(
    left: dict[str, str],
    texts: Mapping[str, FileEntry],
    uncaptioned: Sequence[FileEntry],
    images: Sequence[FileEntry],
    excluded: Iterable[str],
) -> tuple[dict[str, FileEntry], list[Finding]]:
    """Caption files whose name differs from that of one image in case or in the picture's ending only.

    left: path -> base, from which matched files and those of excluded images are removed.
    """
    skipped = {form for path in excluded for form in (path.casefold(), stem_of(path).casefold())}
    taken = {image.path for image in images}
    wanted: dict[str, list[FileEntry]] = {}
    for image in uncaptioned:
        wanted.setdefault(stem_of(image.path).casefold(), []).append(image)
    claims: dict[str, list[str]] = {}
    for path, base in [*left.items()]:
        folded = base.casefold()
        stem = stem_of(base) if suffix_of(base) in IMAGE_SUFFIXES and base not in taken else base
        if folded in skipped:
            del left[path]
        elif len(found := wanted.get(folded) or wanted.get(stem.casefold(), [])) == 1:
            claims.setdefault(found[0].path, []).append(path)
    of, findings = {}, []
    for image in uncaptioned:
        mine = claims.get(image.path, [])
        if len(mine) == 1:
            text = of[image.path] = texts[mine[0]]
            del left[mine[0]]
            name = name_of(text.file)
            what = f"{name} is used as the caption of {name_of(image.path)}"
            findings.append(Finding("C22", what, text.file, hint="name them alike, so that other tools find it, too"))
    return of, findings
