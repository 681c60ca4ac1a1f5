"""apply --report FILE: a page that follows the run, and shows what it was about below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.invocation import masked
from scenario_apply.cli.page_file import PageFile
from scenario_apply.cli.progress.live_page import LivePage
from scenario_apply.errors import ScenarioApplyError

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.events import Event, Ledger
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.model.ports import RequestCounter
    from scenario_apply.review.html.page import Section
    from scenario_apply.state.stores.state_store import StateStore


class ReportPage:
    """The page of one run. Raises for a FILE that cannot be written before the run begins, and never later."""

    def __init__(self, path: str, call: Invocation) -> None:
        self._call = call
        self._file = PageFile(path, call.settings.cwd, option="--report", may_stream=False)
        self._secrets: tuple[str, ...] = call.settings.secrets
        self._page: LivePage | None = None
        self._store: StateStore | None = None
        self._request: PlanRequest | None = None
        self._is_refused = False

    def begin(self, request: PlanRequest | None, command: str, again: str | None = None) -> None:
        """The manifest is known. again: what continues a run that is killed; None: the same command.

        Raises ScenarioApplyError for a file that would be lost, or cannot be written.
        """
        try:
            self._file.begin(request)
        except ScenarioApplyError:
            self._is_refused = True
            raise
        self._request = request
        if request is not None:
            self._secrets += tuple(secret.reveal() for secret in request.place.secrets)
        self._page = LivePage(
            self._file,
            SystemClock(),
            tell=self._call.tell,
            mask=lambda page: masked(page, self._secrets),
            command=command,
            next_command=again or command,
        )

    def follow(self, environment: Environment, prepared: Prepared) -> Callable[[Event], None]:
        """The run begins: a view that takes its events. begin() is called before, with a manifest."""
        assert self._page is not None
        self._store = environment.store
        self._start(prepared, environment.counter, environment.rate_limit)
        return self._page

    def _start(self, prepared: Prepared, counter: RequestCounter | None, rate_limit: int) -> None:
        from scenario_apply.cli.report_page import sections_of_run, title_of

        request = self._request
        assert self._page is not None
        assert request is not None

        def below() -> Sequence[Section]:
            return sections_of_run(prepared, request, self._call.settings)

        self._page.start(title_of("Apply", request.manifest), counter, rate_limit, below)

    def end(self, ledger: Ledger, prepared: Prepared | None) -> None:
        """A run that ended before its first step, or in a way that left no ledger. prepared: its plan, shown below."""
        if self._page is None and not self._is_refused:
            try:
                self.begin(None, "scenario-apply apply")
            except ScenarioApplyError as error:  # that of the run is the one to report
                self._call.tell(f"warning: {error}")
        if self._page is not None and not self._page.has_ledger:
            if prepared is not None and not ledger.begun:
                self._start(prepared, None, 0)
            self._page.finish(ledger)

    def close(self) -> None:
        """The run and its ledger are over: what the page still lacks is added."""
        store, request = self._store, self._request

        def after() -> Sequence[Section]:
            from scenario_apply.cli.report_page import sections_after_run

            if store is None or request is None:
                return ()
            return sections_after_run(store.load().state, request, self._call.settings)

        if self._page is not None:
            self._page.close(after)
