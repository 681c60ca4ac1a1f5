"""The file of a page: report --out, apply --report, card --out. Whole or not at all, and never over something else."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from scenario_apply.cli.named_files import is_stream, named_file, open_stream
from scenario_apply.cli.output_targets import refuse_reserved, refuse_taken
from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.state.stores.own_files import hint_of, temporary_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenario_apply.cli.plan_request import PlanRequest

MARK = b'<meta name="generator" content="scenario-apply'
"""What every page of ours has near its start."""
_MARK_WITHIN = 4096


class PageFile:
    """Where a page is written, again and again. option: as messages name it.

    Creating one, and begin(), raise for a file that is not a page of ours, or that cannot be written.
    """

    def __init__(
        self,
        path: str,
        cwd: str,
        *,
        option: str,
        may_stream: bool,
        kind: str = "page",
        is_own: Callable[[bytes], bool] | None = None,
    ) -> None:
        """may_stream: a device or a pipe will do, which takes one page. kind, is_own: of files that are replaced."""
        self._kind, self._is_own = kind, is_own or is_page
        self.path = path
        self._cwd = cwd
        self._option = option
        self._root: str | None = None
        if not may_stream and is_stream(path, cwd):
            raise UsageError(f"{option} takes a file: {path} is a device or a pipe, which keeps no page up to date")
        refuse_taken(path, cwd, option=option, kind=f"{kind} of scenario-apply", is_own=self._is_own)

    def begin(self, request: PlanRequest | None) -> None:
        """Refuse what the manifest reserves, and try whether the file can be written. request None: no manifest."""
        if request is not None:
            self._root = request.manifest.root
            refuse_reserved(self.path, self._cwd, request, option=self._option)
            refuse_taken(
                self.path, self._cwd, option=self._option, kind=f"{self._kind} of scenario-apply",
                is_own=self._is_own, root=self._root,
            )  # fmt: skip
        if is_stream(self.path, self._cwd):
            return
        try:
            file = named_file(self.path, self._cwd, self._root)
            trial = temporary_name(file.name)
            os.close(file.folder.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            file.folder.unlink(trial)
        except OSError as error:
            raise self._problem(error) from error

    def write(self, page: str) -> None:
        """Replace the page. Raises ScenarioApplyError of code page."""
        try:
            self.replace(page.encode("utf-8", "xmlcharrefreplace"))
        except OSError as error:
            raise self._problem(error) from error

    def replace(self, content: bytes) -> None:
        """The same for bytes, without words for a failure. Raises OSError."""
        stream = open_stream(self.path, self._cwd, self._root)
        if stream is not None:
            with stream:
                stream.write(content.decode())
            return
        file = named_file(self.path, self._cwd, self._root)
        temporary = temporary_name(file.name)
        # not flushed to the disk: a page that is lost with the power can be made again
        descriptor = file.folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
            file.folder.rename(temporary, file.name)
        except BaseException:
            with suppress(OSError):
                file.folder.unlink(temporary)
            raise

    def _problem(self, error: OSError) -> ScenarioApplyError:
        what = f"the {self._kind} cannot be written to {self.path}: {error.strerror or error}"
        return ScenarioApplyError(what, code="page", hint=hint_of(error, "name a file in a folder that exists"))


def is_page(content: bytes) -> bool:
    """Whether a file holds a page of ours."""
    return content.lstrip()[:15].lower() == b"<!doctype html>" and MARK in content[:_MARK_WITHIN]
