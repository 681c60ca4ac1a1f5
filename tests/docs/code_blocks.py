"""The code blocks of the pages, and the marks above them that say what becomes of each.

A mark is an HTML comment on the lines above a block, so that no reader sees it:

    <!-- setup: quickstart -->   a new working folder: quickstart, examples, or a folder of pictures
    <!-- not run: REASON -->     why a block that could be run is not
    <!-- run by: PLACE -->       which test runs it
    <!-- file: NAME -->          the block is written to that file of the working folder
    <!-- output -->              the lines are printed by the block before; … stands for anything
    <!-- exit: N -->             the exit code that a shell block ends with (default 0)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / name / "README.md" for name in ("manifests", "schema", "state")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)

SHELL, DATA = ("sh", "console"), ("yaml", "json", "jsonl")
_MARK = re.compile(r" *<!-- ([a-z ]+?)(?:: (.*?))? -->")
_FENCE = re.compile(r"( *)(`{3,})([^`]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """page: relative to the repository. line: of the fence. setup: the mark that starts its working folder, if any."""

    page: str
    line: int
    language: str
    text: str
    marks: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_left_out(self) -> bool:
        """Whether a mark says that something else, or nothing, runs it."""
        return "not run" in self.marks or "run by" in self.marks


def code_blocks(path: Path) -> list[CodeBlock]:
    """The blocks of a page, in order. Marks count for the block below them, blank lines between them do not."""
    found: list[CodeBlock] = []
    marks: dict[str, str] = {}
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    for number, line in lines:
        if (mark := _MARK.fullmatch(line)) is not None:
            marks[mark[1]] = mark[2] or ""
        elif (fence := _FENCE.fullmatch(line)) is not None:
            body = []
            for _, inner in lines:
                if inner.strip() == fence[2]:
                    break
                body.append(inner.removeprefix(fence[1]))
            page = path.relative_to(ROOT).as_posix()
            text = "".join(f"{inner}\n" for inner in body)
            found.append(CodeBlock(page=page, line=number, language=fence[3].strip(), text=text, marks=marks))
            marks = {}
        elif line.strip():
            marks = {"setup": marks["setup"]} if "setup" in marks else {}
    return found


BLOCKS = [block for page in PAGES for block in code_blocks(page)]


def commands(block: CodeBlock) -> list[str]:
    """The command lines of a shell block: of a console, those after the prompt."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
