"""What is shown while pictures are read."""

from __future__ import annotations

import io

from scenario_apply.cli.progress.reading_view import ReadingView
from tests.fakes.clock import FakeClock
from tests.fakes.terminal import Terminal


def test_a_terminal_shows_a_bar_which_goes_again() -> None:
    terminal, clock = Terminal(80), FakeClock()
    view = ReadingView(terminal, clock.monotonic, is_live=True)
    view(0.1, 3000)
    assert not terminal.written, "most scans are over within a second"
    for share in range(1, 9):
        clock.advance(1)
        view(share / 8, 3000)
        assert len(terminal.lines()) == 1
    assert terminal.lines() == ["Reading 3,000 images  ━━━━━━━━━━━━━━━━━━━━ 100%"]
    view.close()
    assert terminal.lines() == [""]
    assert terminal.is_cursor_shown


def test_a_log_gets_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), FakeClock()
    view = ReadingView(stream, clock.monotonic, is_live=False)
    for second in range(26):
        view(second / 26, 3000)
        clock.advance(1)
    view.close()
    assert stream.getvalue() == "Reading 3,000 images: 4%\nReading 3,000 images: 42%\nReading 3,000 images: 81%\n"
