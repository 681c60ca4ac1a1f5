"""Completion scripts for three shells, from the commands and their options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """names: -q and --quiet. takes: whether a value follows. choices: of that value, when they are known."""

    names: tuple[str, ...]
    takes: bool
    choices: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """One command. values: what may stand for its positional, files apart."""

    name: str
    summary: str
    options: tuple[Option, ...]
    values: tuple[str, ...] = ()


def script(shell: str, commands: Sequence[Completed]) -> str:
    """The script for bash, zsh or fish."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


def _first_words(commands: Iterable[Completed]) -> list[str]:
    return list(dict.fromkeys(command.name.split()[0] for command in commands))


def _seconds(commands: Iterable[Completed]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for command in commands:
        if " " in command.name:
            first, second = command.name.split()
            found.setdefault(first, []).append(second)
    return found


def _bash(commands: Sequence[Completed]) -> str:
    seconds = _seconds(commands)
    files = sorted({name for c in commands for o in c.options if o.takes and not o.choices for name in o.names})
    families = [
        f'    "{first}") if [ "$COMP_CWORD" -eq 2 ]; then words="{" ".join(found)}"; '
        'else command="$command ${COMP_WORDS[2]}"; fi ;;'
        for first, found in seconds.items()
    ]
    values, options = [], []
    for command in commands:
        for option in command.options:
            pattern = "|".join(f'"{command.name} {name}"' for name in option.names)
            if option.choices:
                values.append(
                    f'    {pattern}) COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur")); return ;;'
                )
        words = [name for option in command.options for name in option.names if name.startswith("--")]
        options.append(f'    "{command.name}") words="{" ".join([*words, *command.values])}" ;;')
    return "\n".join(
        [
            "# scenario-apply completion for bash: source this file",
            "_scenario_apply() {",
            '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
            '  local command="${COMP_WORDS[1]}" words=""',
            '  if [ "$COMP_CWORD" -eq 1 ]; then',
            f'    COMPREPLY=($(compgen -W "{" ".join(_first_words(commands))} --help --version" -- "$cur")); return',
            "  fi",
            '  case "$command" in',
            *families,
            "  esac",
            '  case "$command $prev" in',
            *values,
            "  esac",
            '  case "$prev" in',
            f'    {"|".join(files)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;',
            "  esac",
            '  [ -n "$words" ] || case "$command" in',
            *options,
            "  esac",
            '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
            '  case "$cur" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$cur")) ;; esac',
            "}",
            "complete -o filenames -F _scenario_apply scenario-apply",
            "",
        ]
    )


def _zsh(commands: Sequence[Completed]) -> str:
    lines = ["#compdef scenario-apply", "_scenario_apply() {", "  local -a commands", "  commands=("]
    for first in _first_words(commands):
        matching = [command for command in commands if command.name.split()[0] == first]
        summary = matching[0].summary if len(matching) == 1 else ", ".join(c.name.split()[1] for c in matching)
        lines.append(f"    {_quoted(f'{first}:{summary}')}")
    lines += ["  )", "  if (( CURRENT == 2 )); then _describe command commands; return; fi"]
    lines.append('  local command="$words[2]"')
    for first, seconds in _seconds(commands).items():
        lines += [
            f'  if [[ "$command" == {first} ]]; then',
            f"    if (( CURRENT == 3 )); then _values command {' '.join(seconds)}; return; fi",
            '    command="$command $words[3]"',
            "  fi",
        ]
    lines.append('  case "$command" in')
    for command in commands:
        lines.append(f'    "{command.name}") _arguments \\')
        for option in command.options:
            lines += [f"      {_quoted(spec)} \\" for spec in _zsh_options(option)]
        rest = f"({' '.join(command.values)})" if command.values else "_files"
        lines.append(f"      {_quoted(f'*:file:{rest}')} ;;")
    return "\n".join(
        [*lines, "  esac", "}", 'compdef _scenario_apply scenario-apply 2>/dev/null || _scenario_apply "$@"', ""]
    )


def _zsh_options(option: Option) -> list[str]:
    told = option.help.replace("[", "(").replace("]", ")").replace(":", " ")
    value = ""
    if option.takes:
        value = f":value:({' '.join(option.choices)})" if option.choices else ":value:_files"
    return [f"*{name}[{told}]{value}" for name in option.names]


def _fish(commands: Sequence[Completed]) -> str:
    firsts = " ".join(_first_words(commands))
    lines = [
        "# scenario-apply completion for fish",
        "complete -c scenario-apply -n __fish_use_subcommand -s V -l version",
    ]
    seconds = _seconds(commands)
    for command in commands:
        words = command.name.split()
        if len(words) == 1:
            condition = f"not __fish_seen_subcommand_from {firsts}"
            within = f"__fish_seen_subcommand_from {words[0]}"
        else:
            others = " ".join(seconds[words[0]])
            condition = f"__fish_seen_subcommand_from {words[0]}; and not __fish_seen_subcommand_from {others}"
            within = f"__fish_seen_subcommand_from {words[0]}; and __fish_seen_subcommand_from {words[1]}"
        lines.append(_fish_line(condition, f"-f -a {words[-1]} -d {_quoted(command.summary)}"))
        for option in command.options:
            lines.append(_fish_line(within, _fish_option(option)))
        if command.values:
            lines.append(_fish_line(within, f"-f -a {_quoted(' '.join(command.values))}"))
    for first in seconds:
        lines.append(_fish_line(f"not __fish_seen_subcommand_from {firsts}", f"-f -a {first}"))
    return "\n".join([*lines, ""])


def _fish_line(condition: str, rest: str) -> str:
    return f"complete -c scenario-apply -n {_quoted(condition)} {rest}"


def _fish_option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = ""
    if option.takes:
        value = f" -x -a {_quoted(' '.join(option.choices))}" if option.choices else " -r"
    return f"{' '.join(names)}{value} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "’").replace("%%", "%") + "'"
