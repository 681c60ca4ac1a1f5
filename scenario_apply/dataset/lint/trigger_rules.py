"""T rules: the trigger word is in all captions, spelled consistently, and no placeholder is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Picture, Subject, with_instructions
from scenario_apply.dataset.lint.word_count import is_without_blanks
from scenario_apply.model.file_names import nfc
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.yaml_word import yaml_word

_PLACEHOLDER = re.compile(
    r"(?i:\[ ?(?:trigger|name) ?\]|\{ ?(?:trigger|tags|name|folder|caption) ?\})"
    r"|\$\{[^{}]{0,200}\}|\{\{[^{}]{0,200}\}\}|\{%[^%]{0,200}%\}"  # limited in length, as in caption_rules
)
_FOREIGN = re.compile(r"\b(?:TOK|sks|ohwx)\b")
_LONG_WORD = re.compile(r"\w{3,}")
_SIGN_OF_INVENTION = re.compile(r"[A-Z_0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"\w+(?:-\w+)*")
_SEPARATORS = re.compile(r"[-_\s]")
_KNOWN_TO_EVERY_MODEL = """
man woman boy girl person people cat dog horse bird car house tree character hero knight style art photo picture
image painting drawing sketch anime cartoon logo icon product shoe dress hat red blue green black white yellow fox wolf
bear lion dragon robot warrior wizard witch king queen prince princess soldier sword castle forest city flower
watercolor watercolour ink comic manga portrait landscape render texture pattern the
"""
_ORDINARY = frozenset(_KNOWN_TO_EVERY_MODEL.split())


def placeholders(subject: Subject) -> Iterator[Finding]:
    """T03; and T02 for TOK, sks and ohwx, the triggers of other tools, beside the declared trigger."""
    trigger = subject.spec.trigger
    for pair in subject.pairs:
        if found := _PLACEHOLDER.search(pair.instruction):
            yield Finding("T03", f"the placeholder {found[0]!r} is left in the instruction of {pair.after}")
    captioned = _captioned(subject)
    together = "\n".join([picture.caption or "" for picture in captioned])
    if not any(sign in together for sign in ("[", "{", "TOK", "sks", "ohwx")):
        return
    for picture in captioned:
        text = picture.caption or ""
        if found := _PLACEHOLDER.search(text):
            if trigger:
                hint = "write [trigger], or remove it: the trigger is added at the front"
            else:
                hint = "give the dataset a `trigger:`, or delete it from the caption"
            what = f"the placeholder {found[0]!r} would be trained literally"
            yield picture.finding("T03", what, hint, about_caption=True)
        elif trigger and (found := _FOREIGN.search(text)) and found[0] not in trigger:
            what = f"contains {found[0]!r}, a trigger of other tools, as well as {trigger}"
            finding = picture.finding("T02", what, "delete it, or write [trigger]", about_caption=True)
            yield finding._replace(severity="warning")


def in_some(subject: Subject) -> Iterator[Finding]:
    """T01: some captions lack the trigger. Without a declared trigger, one is guessed from the captions."""
    captioned = _captioned(subject)
    if subject.spec.trigger:
        without = [p for p in subject.pictures if p.caption is None and p.path not in subject.unread]
        if "T08" in subject.reported:  # a failing template leaves pictures without a caption
            return
        if captioned and without and subject.spec.captions.kind != "auto" and not subject.spec.is_pairs:
            what = f"{len(without)} of {len(subject.pictures)} images have no caption, so only some have the trigger"
            # Only a warning: C01 is an error already, unless the dataset allows missing captions.
            yield Finding("T01", what, hint="write a caption for every image, or for none", severity="warning")
        return
    if len(captioned) < 3:
        return
    counts = Counter(word for p in captioned for word in _invented((p.caption or "").partition(",")[0]))
    for word, count in counts.most_common(1):
        if _looks_invented(word) and len(captioned) // 2 < count < len(captioned):
            missing = next((p for p in captioned if word not in _LONG_WORD.findall(p.caption or "")), None)
            if missing is None:  # some have it later in the caption
                return
            what = f"{word} looks like a trigger; {count} of {len(captioned)} captions contain it, this one does not"
            finding = missing.finding(
                "T01", what, f"write `trigger: {yaml_word(word)}` in the dataset", about_caption=True
            )
            yield finding._replace(severity="warning")


def _invented(text: str) -> set[str]:
    return {
        word
        for word in _LONG_WORD.findall(text)
        if _SIGN_OF_INVENTION.search(word) is not None and _LETTER.search(word) is not None
    }


def _looks_invented(word: str) -> bool:
    has_digit = any(sign.isdigit() for sign in word)
    return "_" in word or (has_digit and any(sign.isalpha() for sign in word)) or (word.isupper() and len(word) > 3)


def spelling(subject: Subject) -> Iterator[Finding]:
    """T02: another spelling of the trigger: case, - for _, or, for invented words, one different letter."""
    trigger = nfc(subject.spec.trigger or "")
    if len(trigger) < 3:
        return
    texts = [(picture, nfc(picture.raw)) for picture in with_instructions(subject) if picture.raw]
    words = set(_WORD.findall("\n".join([text for _, text in texts])))
    near = [word for word in words if -4 < len(word) - len(trigger) < 4]
    wrong = {word for word in near if _is_misspelled(word, trigger)}
    phrase = _phrase(trigger)
    for picture, text in texts:
        found = next((word for word in _WORD.findall(text) if word in wrong), None) if wrong else None
        if found is None and phrase is not None:
            found = next((m[0] for m in phrase.finditer(text) if _is_other_phrase(m[0], trigger)), None)
        if found is not None:
            shown = found if found.isprintable() and "  " not in found else repr(found)
            what = f"{shown} differs from the trigger {trigger}, which must be spelled the same everywhere"
            yield picture.finding("T02", what, f"write {trigger}", about_caption=True)
        elif _begins_in_other_case(text, trigger):
            what = f"begins with the trigger {trigger} in other case, as ordinary words: it is added once more"
            finding = picture.finding("T02", what, f"write {trigger}", about_caption=True)
            yield finding._replace(severity="warning")


def _begins_in_other_case(text: str, trigger: str) -> bool:
    """Before the first comma, where a trigger stands, even plain words are meant as one: `red fox, in snow`."""
    head, comma, _ = text.partition(",")
    head = head.strip()
    return bool(comma) and head != trigger and head.casefold() == trigger.casefold()


def _phrase(trigger: str) -> re.Pattern[str] | None:
    """Finds a trigger of several parts in any case and with any blanks between them; None for one part."""
    parts = _SEPARATORS.split(trigger)
    if len(parts) < 2:
        return None
    return re.compile(
        r"(?<!\w)" + r"[-_\s]+".join([re.escape(part) for part in parts if part]) + r"(?!\w)", re.IGNORECASE
    )


def _is_other_phrase(found: str, trigger: str) -> bool:
    if found == trigger:
        return False
    if len(trigger.split()) == 1:  # KAEL 07 is KAEL_07; the words of red_fox or Red_Fox are ordinary ones
        if not any(map(str.isspace, found)):
            return False
        as_typed = _SEPARATORS.sub("", found) == _SEPARATORS.sub("", trigger)
        return any(map(str.isdigit, trigger)) or (as_typed and not trigger.islower())
    if " ".join(found.split()) == " ".join(trigger.split()):
        return True
    # The words of a name such as Red Fox, when they are only ordinary words, stand for what they mean.
    is_plain = all(part.isalpha() for part in trigger.split())
    return not (is_plain and found.islower() and not trigger.islower())


def _is_misspelled(word: str, trigger: str) -> bool:
    # A word of a longer trigger, or the trigger in the genitive, is not a misspelling.
    if word in trigger or trigger in word:
        return False
    invented = not trigger.isalpha()
    folded, plain = (_SEPARATORS.sub("", text).casefold() for text in (word, trigger))
    if folded == plain:
        return invented or not word.islower()
    return invented and len(plain) > 4 and abs(len(folded) - len(plain)) < 2 and _one_off(folded, plain)


def _one_off(one: str, other: str) -> bool:
    """Whether one letter was inserted, deleted or changed. Digits do not count: they distinguish versions."""
    if len(one) == len(other):
        changed = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        return len(changed) == 1 and not (changed[0][0].isdigit() and changed[0][1].isdigit())
    shorter, longer = sorted((one, other), key=len)
    return any(longer[:at] + longer[at + 1 :] == shorter and not longer[at].isdigit() for at in range(len(longer)))


def ordinary(subject: Subject) -> Iterator[Finding]:
    """T04."""
    trigger = subject.spec.trigger
    is_short = trigger is not None and len(trigger) < (2 if is_without_blanks(trigger) else 3)
    if trigger and (trigger.casefold() in _ORDINARY or is_short):
        what = f"the trigger {trigger!r} is an ordinary word that the base model already knows"
        yield Finding("T04", what, hint=f"use an invented word, such as {trigger.upper().replace(' ', '_')}_01")


def repeated(subject: Subject) -> Iterator[Finding]:
    """T05."""
    trigger = subject.spec.trigger
    if not trigger:
        return
    pattern = re.compile(rf"(?<!\w){re.escape(trigger)}(?!\w)")
    twice = re.compile(rf"{pattern.pattern}[\s,]+{pattern.pattern}")
    for picture in with_instructions(subject):
        text = picture.caption or ""
        count = len(pattern.findall(text)) if text.count(trigger) > 1 else 0
        if count > 1 and twice.search(text):
            what, hint = "contains the trigger twice in a row", "keep one: it is added where it is missing"
            yield picture.finding("T05", what, hint, about_caption=True)._replace(severity="warning")
        elif count > 1:
            yield picture.finding("T05", f"contains the trigger {count} times", about_caption=True)


def _captioned(subject: Subject) -> list[Picture]:
    return [picture for picture in subject.pictures if picture.caption is not None]
