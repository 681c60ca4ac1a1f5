"""The lines that are drawn again and again at the bottom of a terminal."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.progress.live_view import ProgressView
from scenario_apply.cli.terminal import resized, screen_for, terminal_size
from scenario_apply.review.screen import Screen
from tests.cli.runs import EVENTS
from tests.fakes.clock import FakeClock
from tests.fakes.terminal import Terminal


@pytest.mark.parametrize("reflows", [False, True])
@pytest.mark.parametrize("widths", [[60, 40, 100, 30, 80], [79, 78, 77, 76, 75], [20] * 5, [200, 20, 200, 20, 80]])
def test_a_resize_leaves_no_lines_behind(widths: list[int], reflows: bool) -> None:
    """Neither where the terminal cuts long lines, nor where it wraps them; what scrolled by stays, each line once."""
    terminal = Terminal(80, reflows=reflows)
    region = LiveRegion(terminal.write)
    for number, width in enumerate(widths):
        region.print_above(f"step {number}\n")
        region.draw([f"bar {n} ".ljust(terminal.width - 1, "-") for n in range(3)], 24)
        terminal.resize(width)
    region.draw(["bar"], 24)
    assert terminal.lines() == [*(f"step {number}" for number in range(5)), "bar"]
    region.close()
    assert [line for line in terminal.lines() if line] == [f"step {number}" for number in range(5)]
    assert terminal.is_cursor_shown


def test_a_resize_in_the_middle_of_a_drawing_cuts_lines() -> None:
    """The lines were made for the width before: they do not wrap, and the next drawing finds their start."""
    terminal = Terminal(40)
    region = LiveRegion(terminal.write)
    for _ in range(5):
        region.draw(["x" * 79, "y" * 79], 24)
    region.draw(["x", "y"], 24)
    assert terminal.lines() == ["x", "y"]


def test_more_lines_than_the_screen_has_are_cut_and_counted() -> None:
    """Lines that left the screen could not be erased any more."""
    terminal = Terminal(40, height=6)
    region = LiveRegion(terminal.write)
    for _ in range(3):
        region.draw([f"line {number}" for number in range(10)], 6)
    assert terminal.lines() == ["line 0", "line 1", "line 2", "  … and 6 more lines", "line 9"]
    region.draw(["a", "b"], 2)
    assert terminal.lines() == ["b"]


def test_lines_can_be_left_for_what_comes_below() -> None:
    """As on an error: the last table stays above it."""
    terminal = Terminal(40)
    region = LiveRegion(terminal.write)
    region.draw(["a", "b"], 24)
    region.leave()
    terminal.write("error\n")
    region.close()
    assert terminal.lines() == ["a", "b", "error", ""]
    assert terminal.is_cursor_shown


def test_a_terminal_that_is_gone_ends_the_drawing_only() -> None:
    def gone(text: str) -> None:
        raise OSError(5, "Input/output error")

    region = LiveRegion(gone)
    region.draw(["a"], 24)
    region.print_above("step\n")
    region.close()


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, Callable[[int, int], None], int]]:
    """Its two ends, and what sets its columns and rows."""
    ours, theirs = os.openpty()

    def size(columns: int, rows: int) -> None:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    try:
        yield theirs, size, ours
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_width_is_that_of_the_stream_and_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while standard output is a file, and whatever COLUMNS said when the shell started."""
    monkeypatch.setenv("COLUMNS", "99")
    with pseudo_terminal() as (theirs, size, _), open(theirs, "w", closefd=False) as stream:
        size(80, 30)
        screen = screen_for(stream, color=None, verbose=False, term="xterm")
        assert (screen.width, screen.terminal, screen.color) == (80, True, True)
        size(132, 50)
        assert terminal_size(stream) == (132, 50)
        assert resized(screen, stream).width == 132
        size(10, 3)
        assert resized(screen, stream).width == 60, "tables and sentences need some room"
        size(0, 0)
        assert terminal_size(stream)[0] == 99, "a terminal that does not know its size"


def test_a_run_follows_the_width_of_its_terminal() -> None:
    """A real terminal changes its width while the bars are drawn; none of them is wider than it was then."""
    with pseudo_terminal() as (theirs, size, ours), open(theirs, "w", closefd=False) as stream:
        size(100, 30)
        drawn: list[str] = []
        was_drawn = threading.Semaphore(0)

        def read() -> None:
            while text := os.read(ours, 65536).decode("utf-8", "ignore"):
                drawn.append(text)
                was_drawn.release()
                if "the end" in text:
                    return

        reader = threading.Thread(target=read)
        reader.start()
        view = ProgressView(stream, FakeClock(), Screen(width=100, terminal=True), counter=None, rate_limit=100)
        for event in EVENTS[:12]:
            view(event)
        assert was_drawn.acquire(timeout=20)
        for width in (40, 30):
            size(width, 30)
            drawn.clear()
            while not any("model.kael" in text and "──" in text for text in drawn):
                assert was_drawn.acquire(timeout=20)
            bars = [line for text in drawn for line in text.splitlines() if "──" in line]
            assert max(map(len, bars)) <= width + len("\x1b[?7l\x1b[?25l") + len("\x1b[?7h")
        view.close()
        stream.write("the end")
        stream.flush()
        reader.join()
