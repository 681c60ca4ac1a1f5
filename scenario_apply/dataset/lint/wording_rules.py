"""C12 to C15: unedited output of a captioning model, syntax of other tools, and tags where sentences are expected."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Picture, Subject, with_instructions
from scenario_apply.model.lint_rules import Finding

_BOILERPLATE = re.compile(
    r"(?i)(?:^|, )(?:(?:the|this) (?:image|photo|picture) (?:shows|features|captures|depicts)|arafed|araffe"
    r"|there is an? |caption:|an? (?:photo|image|picture) of an? |here is |this is an? (?:photo|image|picture) of"
    r"|in (?:this|the) (?:photo|image|picture),)|\b(?:beautiful|stunning|possible caption)\b"
    r"|\b(?:let me know if|i hope this helps|would you like me to|feel free to|if you need|is there anything else)\b"
    r"|\b(?:image|photo|picture) (?:that )?you (?:have )?(?:provided|shared|uploaded|sent)\b"
)
# How answers begin that are more than the caption.
_CHATTER = re.compile(
    r"(?i)(?:sure|certainly|absolutely|of course|okay|ok|understood|got it)(?:[!,.:]| thing)|great(?: question)?!"
    r"|(?:the|a) (?:caption|description) (?:for|of) (?:this|the|your) (?:image|photo|picture)|i (?:can )?see an? "
    r"|here(?:['’]s| are) (?:the|an?|your|my|some|one|two|three|\d)\b"
    r"|(?:assistant|user|human|system|chatgpt|(?:final )?answer|response|output|tags"
    r"|(?:image |detailed |short |suggested )?(?:caption|description|prompt)) ?:"
    r"|based on the (?:image|photo|picture)\b|the (?:provided|given|uploaded|attached) (?:image|photo|picture)\b"
)
# How answers begin that are no caption at all.
_REFUSAL = re.compile(
    r"(?i)(?:i['’]?m|i am|we['’]?re|we are) (?:very |so |really )?"
    r"(?:sorry|afraid|unable|not able|not allowed|just an ai)\b"
    r"|i apologi[sz]e\b|(?:my )?apologies\b|sorry(?:[.!]|,? (?:but|i|we|this)\b)"
    r"|(?:unfortunately|regrettably),? (?:i|we)\b"
    r"|(?:i|we) (?:cannot|can['’]?t|can not|could not|couldn['’]?t|will not|won['’]?t|do not|don['’]?t)\b"
    r"|(?:cannot|can['’]?t|unable to|failed to|not able to) (?:assist|help|process|generate|determine|describe"
    r"|identify|caption|view|load|analy[sz]e|provide|comply)\b"
    r"|i must (?:decline|refuse)\b|i(?:['’]d| would) be (?:happy|glad) to\b"
    r"|your request (?:was|has been|could not|cannot)\b"
    r"|please (?:provide|upload|share|attach|send) (?:the|an?|your) (?:image|photo|picture)\b"
    r"|(?:there is )?no (?:image|photo|picture) (?:was |is )?(?:provided|attached|found|given|uploaded)\b"
    r"|(?:it (?:seems|appears|looks like) (?:that )?)?the (?:image|photo|picture) (?:could ?n[o'’]t|cannot"
    r"|can['’]t|did ?n[o'’]t|failed to) (?:be )?(?:load|display|process|open|analy[sz]e|upload)"
    r"|(?:this|the) (?:content|image|request) (?:may )?violates? (?:our|the|content)\b|content (?:filtered|blocked)\b"
    r"|as an? (?:ai|artificial intelligence|(?:large )?language model|vision model)\b"
    r"|[\w.]{0,60}(?:error|exception)(?: code)?(?: \d{3})? ?[:(]|traceback \(most recent"
    r"|(?:cuda )?out of memory\b|http(?:/\d\.\d)? [45]\d\d\b|rate limit\b|too many requests\b|quota exceeded\b"
)
_REFUSAL_INSIDE = re.compile(r"(?i)\bas an? (?:ai|(?:large )?language) (?:language )?model\b|\bcuda out of memory\b")
_NO_CAPTION = re.compile(
    r"(?i)(?:n/?a|nan|none|null|nil|undefined|todo|tbd|fixme|untitled|lorem ipsum.*"
    r"|no (?:caption|description|text)(?: (?:available|provided|found|yet))?)[.!]?"
)
_DEBRIS = re.compile(
    r"<MORE_DETAILED_CAPTION>|</?s>|<loc_\d{1,9}>|\*\*[^*]{1,200}\*\*|```|<\|[a-z_]{1,200}\|>|<pad>|<unk>|<image>"
    r"|</?think(?:ing)?>|</?answer>|\[/?INST\]|\[(?:PAD|UNK|SEP|CLS)\]|###|<br ?/?>|</?(?:p|b|i|em|strong|div|span)>"
    r"|&(?:amp|quot|lt|gt|nbsp|apos|#\d{2,5}|#x[0-9a-fA-F]{2,5});|\ufffd"
    r"|(?:[ÐÑ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œŸžŽ]){3}"  # Cyrillic in UTF-8 read as cp1252
    r"|(?:[ãäåæçè][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œŸžŽ]{2}){2}"  # and Chinese or Japanese
    r"|Ã[\u0080-\u00ba\u00bc-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘“•–—˜™š›œŸ]|Â[\u0080-\u00ba\u00bc-\u00bf]|â€"  # UTF-8 read as cp1252
)
_WRITTEN_BY_A_PROGRAM = ('{"', "{'", '["', "['")  # C18 reports it
_IN_QUOTES = re.compile("\"[^\"]+\"|'[^']+'|‘[^‘]+’|“[^“”]+”|„[^„“”]+[“”]|«[^«»]+»")
# Text in brackets is limited in length: ten thousand unclosed brackets would each be searched to the end.
_SYNTAX = re.compile(
    r"\|\|\||;;;"
    r"|(?<![{$])\{(?!\{|%|(?:trigger|tags|name|folder|caption)\})[^{}]{1,200}\}"
    r"|\([^()]{1,200}(?<!\d):\s{0,3}-?(?:\d?[.,]\d{1,4}|\d)\s{0,3}\)"
    r"|\([^()]{0,200}[^\W\d]:\d\.\d{1,2}(?!\d)|[^\W\d] ?: ?-?\d?\.\d{1,4} ?\)|\)\d\.\d{1,2}(?![\w.])"
    r"|(?<!\w)[^\W\d]\w{2,40}:\d\.\d{1,2}(?=\s{0,3}(?:,|$))|(?<!\S):\d\.\d{1,2}(?![\w.])"
    r"|\(\([^()]{1,200}\)\)"
    r"|\[(?!(?:trigger|name|sic)\])(?=[^\]]{0,200}[^\W\d_])[^\[\]]{1,200}\]"
    r"|<(?:lora|lyco|hypernet|embedding|wildcard)[^<>]{0,200}>"
    r"|\\[()\[\]]"
    r"|(?<![A-Z] )(?<![\"'“])\bBREAK\b(?! [A-Z]{2})"
    r"|(?<!\w)__[A-Za-z0-9][\w/*.-]{0,60}?__(?!\w)"
    r"|(?<!\S)--(?:ar|aspect|v|version|no|niji|s|stylize|style|seed|q|quality|chaos|c|iw|tile|weird|w|h|d|l|n|g|steps"
    r"|sref|cref|cw|sw|raw|uplight|hd|stop|p|profile|relax|fast|turbo|draft)(?![\w-])"
    r"|\w::-?\d"
    r"|\)\+{1,5}(?![\w+])|(?<!\w)[^\W\d]\w{2,40}(?:\+\+|--)(?=\s{0,3}(?:,|$))|(?<!\w)embedding:\w"
)
# None of the patterns that are searched matches without one of these: a quick check on all captions together.
_SINGLE_HINTS = """
image photo picture araf caption: beautiful stunning possible memory < > ** ``` ### & \ufffd ã â
||| ;;; { ( [ \\ break __ -- :: ++ :0. :1. :2. embedding: ð ñ å ä æ ç è great! output
"""
_SENTENCE_HINTS = (
    "there is a",
    "here is ",
    "let me know",
    "i hope",
    "would you",
    "feel free",
    "if you",
    "as an ",
    "as a ",
    "is there anything",
)
_HINTS = (*_SINGLE_HINTS.split(), *_SENTENCE_HINTS)


def wording(subject: Subject) -> Iterator[Finding]:
    """C12 to C15, for captions and instructions."""
    tags_matter = any(not kind.startswith("sd-xl") for kind in subject.types)
    pictures = with_instructions(subject)
    together = "\n".join([picture.caption or "" for picture in pictures]).casefold()
    is_suspicious = any(hint in together for hint in _HINTS)
    trigger = subject.spec.trigger or ""
    for picture in pictures:
        yield from _of_a_model(picture, trigger, is_suspicious)
        text = picture.caption or ""
        may_hold_syntax = is_suspicious and not (picture.raw or "").startswith(_WRITTEN_BY_A_PROGRAM)
        if may_hold_syntax and (found := _SYNTAX.search(text.replace(trigger, " ") if trigger else text)):
            what = f"{found[0].strip()!r} is training syntax of other tools, and is used literally here"
            yield picture.finding("C14", what, "write plain text", about_caption=True)
        if tags_matter and "_" in text and not subject.spec.is_pairs:
            yield from _tags(subject, picture, text)


def _of_a_model(picture: Picture, trigger: str, is_suspicious: bool) -> Iterator[Finding]:
    """C13 for what is no caption or does not belong to it, else C12 for words that say nothing."""
    text = picture.caption or ""
    own = (picture.raw or "").removeprefix(trigger).strip(" ,")
    begins = own.lstrip("\"'“*#> ")
    refusal = _REFUSAL.match(begins) or (_REFUSAL_INSIDE.search(begins) if is_suspicious else None)
    if refusal or _NO_CAPTION.fullmatch(own):
        what = f"{_start_of(own)!r} is an answer or an error of a captioning model, not a caption"
        yield picture.finding("C13", what, "write a caption, or delete it", about_caption=True)
    elif is_suspicious and (found := _DEBRIS.search(text)):
        what = f"contains {found[0]!r}, which a captioning model or a conversion left"
        yield picture.finding("C13", what, "delete it", about_caption=True)
    elif _IN_QUOTES.fullmatch(own):
        yield picture.finding("C13", "stands in quotes, which would be trained", "remove them", about_caption=True)
    elif found := _CHATTER.match(begins):
        yield picture.finding("C12", f"{found[0]!r} says nothing about the picture", "remove it", about_caption=True)
    elif is_suspicious and (found := _BOILERPLATE.search(text)):
        what = f"{found[0].strip(', ')!r} says nothing about the picture"
        yield picture.finding("C12", what, "remove it", about_caption=True)


def _start_of(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _tags(subject: Subject, picture: Picture, text: str) -> Iterator[Finding]:
    parts = [part.strip() for part in text.split(",") if part.strip() and part.strip() != subject.spec.trigger]
    tags = [part for part in parts if " " not in part]
    has_underscores = sum("_" in tag for tag in tags) > 1
    if len(parts) > 2 and has_underscores and len(tags) > subject.number("underscore-share") * len(parts):
        yield picture.finding("C15", "tags with underscores: this training type expects sentences", about_caption=True)
