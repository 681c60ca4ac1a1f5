"""What is shown while many pictures are read for the first time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from scenario_apply.cli.progress.share_view import ShareView
from scenario_apply.review.screen import counted

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.dataset.scan.scan_progress import ShowScan


class ReadingView(ShareView):
    """Called with the progress of a scan."""

    def __call__(self, share: float, images: int) -> None:
        self._show(f"Reading {counted(images, 'image')}", share)


@contextmanager
def reading_view(settings: Settings) -> Iterator[ShowScan | None]:
    """Takes the progress of a scan; None with --quiet."""
    if settings.quiet:
        yield None
        return
    with closing(ReadingView.on_stderr(settings)) as view:
        yield view
