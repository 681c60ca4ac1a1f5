"""A terminal as far as our views use one: text, line ends, moving up, erasing, wrapping or cutting, and resizes."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

_PIECES = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclass
class Row:
    text: str = ""
    continues: bool = False  # the row above, which was too long


@dataclass
class Terminal(io.StringIO):
    """Keeps everything that was ever on the screen. reflows: long lines are wrapped anew by a resize, else cut."""

    width: int
    height: int = 24
    reflows: bool = False
    written: str = ""
    is_cursor_shown: bool = True
    rows: list[Row] = field(default_factory=lambda: [Row()])
    row: int = 0
    column: int = 0
    wraps: bool = True

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        for private, number, letter, end, plain in _PIECES.findall(text):
            if letter:
                self._control(private, int(number or "1"), letter)
            elif end:
                self.column = 0
                if end == "\n":
                    self._down(continues=False)
            else:
                for character in plain:
                    self._show(character)
        return len(text)

    def lines(self) -> list[str]:
        """Lines as they were written, above the top of the screen, too."""
        joined: list[str] = []
        for row in self.rows:
            if row.continues:
                joined[-1] += row.text
            else:
                joined.append(row.text)
        return [line.rstrip() for line in joined]

    def resize(self, width: int) -> None:
        before, self.width = self.rows, width
        if not self.reflows:
            for row in before:
                row.text = row.text[:width]
            self.column = min(self.column, width - 1)
            return
        self.rows = []
        line, at = "", None
        for number, row in enumerate(before):
            if number == self.row:
                at = len(line) + self.column
            line += row.text
            if number + 1 == len(before) or not before[number + 1].continues:
                starts = range(0, max(len(line), 1), width)
                if at is not None:
                    self.row, self.column = len(self.rows) + min(at // width, len(starts) - 1), at % width
                self.rows += [Row(line[start : start + width], continues=start > 0) for start in starts]
                line, at = "", None

    def _control(self, private: str, number: int, letter: str) -> None:
        if private:
            if number == 25:
                self.is_cursor_shown = letter == "h"
            elif number == 7:
                self.wraps = letter == "h"
        elif letter == "A":
            self.row = max(self.row - number, len(self.rows) - self.height, 0)
        elif letter == "J":
            del self.rows[self.row + 1 :]
            self.rows[self.row].text = self.rows[self.row].text[: self.column]
        elif letter != "m":
            raise AssertionError(f"this terminal does not know CSI {letter}")

    def _down(self, *, continues: bool) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append(Row())
        self.rows[self.row].continues = continues

    def _show(self, character: str) -> None:
        if self.column >= self.width:
            if self.wraps:
                self._down(continues=True)
                self.column = 0
            else:
                self.column = self.width - 1
        text = self.rows[self.row].text.ljust(self.column)
        self.rows[self.row].text = text[: self.column] + character + text[self.column + 1 :]
        self.column += 1
