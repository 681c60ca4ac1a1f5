"""The explanation of a code: a lint rule with its severity and thresholds, or the code of another diagnostic."""

from __future__ import annotations

from scenario_apply.model.lint_rules import REFUSED_CODES, RULES, Rule
from scenario_apply.review.diagnostic_explanations import DIAGNOSTIC_TEXTS
from scenario_apply.review.lint_explanations import LINT_TEXTS
from scenario_apply.review.screen import Screen, wrap


def known_codes() -> tuple[str, ...]:
    """Every code and every rule's name."""
    return tuple(dict.fromkeys([*(r.code for r in RULES), *(r.name for r in RULES), *DIAGNOSTIC_TEXTS]))


def explanation(code: str, screen: Screen) -> str | None:
    """The explanation of a code or a rule's name, wrapped to the screen; None for an unknown one."""
    rule = next((rule for rule in RULES if code.upper() == rule.code or code.lower() in (rule.code, rule.name)), None)
    paragraphs: tuple[str, ...]
    if rule is None:
        text = DIAGNOSTIC_TEXTS.get(code.lower())
        paragraphs = () if text is None else (screen.paint(code.lower(), "bold"), _wrapped(text, screen))
    else:
        paragraphs = _rule(rule, screen)
    return "\n\n".join(paragraphs) + "\n" if paragraphs else None


def _rule(rule: Rule, screen: Screen) -> tuple[str, ...]:
    text = LINT_TEXTS[rule.code]
    title = rule.code if rule.code == rule.name else f"{rule.code} {rule.name}"
    thresholds = f", {', '.join(threshold_texts(rule))}" if rule.thresholds else ""
    return (
        f"{screen.paint(title, 'bold')} ({rule.severity}{thresholds})",
        _wrapped(f"{text.catches} {text.why}", screen),
        _wrapped(f"How to fix it: {text.fix}", screen),
        _wrapped(how_to_silence(rule), screen),
    )


def _wrapped(text: str, screen: Screen) -> str:
    return "\n".join(wrap(text, min(screen.width, 100)))


def threshold_texts(rule: Rule) -> list[str]:
    """'min-images 5' for each threshold of a rule."""
    return [f"{name} {value:g}" for name, value in rule.thresholds.items()]


def how_to_silence(rule: Rule) -> str:
    """What to write in a dataset to change the severity or a threshold, or to switch the rule off."""
    if rule.code in REFUSED_CODES:
        return "It cannot be switched off."
    if rule.code == "lint-setting":
        return "In a dataset: `lint: { lint-setting: off }`."
    number = "".join(f", or `lint: {{ {name}: N }}` for another threshold" for name in list(rule.thresholds)[:1])
    return f"In a dataset: `lint: {{ {rule.code}: off }}` switches it off{number}."
