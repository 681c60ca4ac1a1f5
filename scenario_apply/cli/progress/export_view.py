"""What is shown while models are read and pictures and weights are downloaded."""

from __future__ import annotations

from scenario_apply.cli.progress.share_view import ShareView
from scenario_apply.review.screen import counted


class ExportView(ShareView):
    """Called from one thread."""

    def models(self, done: int, total: int) -> None:
        self._show(f"Reading {counted(total, 'model')}", done / max(total, 1))

    def pictures(self, done: int, total: int, size_bytes: int) -> None:
        self._show(f"Downloading {counted(total, 'picture')}, {size_bytes / 1e6:.1f} MB", done / max(total, 1))

    def weights(self, name: str, done: int, total: int | None) -> None:
        """A file of weights on its way, in bytes; total None: its size is unknown."""
        self._show(f"Downloading {name}, {done / 1e6:.1f} MB", done / max(total or done + 1, 1))

    def waiting(self, name: str, status: str) -> None:
        """For Scenario, which makes the file of an export."""
        self._show(f"Waiting for the export of {name} ({status})", 0)
