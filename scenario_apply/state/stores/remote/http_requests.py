"""Requests to an HTTP state server: bounded attempts, and words for what it refuses.

What may be repeated is repeated here: reading, and locking and unlocking with the same id. Writing is one attempt, and
the caller looks at what is stored before another. Redirects are not followed, so that no other host gets credentials.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from scenario_apply.api import retry
from scenario_apply.api.exchange import NoAnswer, Outcome, Reply, Request, Safety
from scenario_apply.api.request_bodies import PlainBody
from scenario_apply.errors import ApiError
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.http_address import HttpAddress

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock

LOCKED = (409, 423)
"""Answers for a lock that another holds. GitLab's is 409, that of Terraform's documentation 423."""

_ANSWER_WITHIN_S, _FIRST_WITHIN_S = 15.0, 8.0
_HANGING_S = 3.0
"""For the answer of a server that has just let another request wait in vain: a run must be able to leave."""

_ADDRESS_HINT = "check the URL of the state, and the network and proxy of this machine"
_SAID_CHARACTERS = 200
_WRONG_LOGIN = (
    "the server does not take this user with this password; check TF_HTTP_USERNAME and TF_HTTP_PASSWORD. A token of "
    "GitLab needs the scope api, and ends at its date"
)
_HINTS = {
    401: "set TF_HTTP_USERNAME and TF_HTTP_PASSWORD to a user and a token (in a GitLab job: gitlab-ci-token and "
    "$CI_JOB_TOKEN), and name the state with --state: a URL in a manifest alone gets no credentials",
    403: "this user may not do that; GitLab wants the role Maintainer for locking and writing, Developer for reading",
    404: "check the URL; GitLab also answers 404 where the token may not see the project",
    413: "the server takes no document of this size; an administrator can raise its limit",
}


class HttpStateRequests:
    """Those of one state. draw: a random number from 0 to 1."""

    def __init__(
        self,
        address: HttpAddress,
        *,
        shown: str,
        clock: Clock,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Raises StoreUnavailable for credentials or an address that cannot be used."""
        from scenario_apply.api.transport import Timeouts, Transport

        timeouts = Timeouts(read=_ANSWER_WITHIN_S, first_read=_FIRST_WITHIN_S, advisory_read=_HANGING_S)
        try:
            self._transport = Transport(
                address.origin, address.user, address.password, timeouts=timeouts, address_hint=_ADDRESS_HINT
            )
        except ValueError:
            raise StoreUnavailable(
                f"the credentials for {shown} hold characters that are not ASCII",
                hint="check TF_HTTP_USERNAME and TF_HTTP_PASSWORD",
            ) from None
        except ApiError as error:
            raise StoreUnavailable(f"{shown} is no address that can be asked", hint=_ADDRESS_HINT) from error
        self._has_login = bool(address.user or address.password)
        self._shown = shown
        self._clock = clock
        self._draw = draw
        self._timed_out = 0  # so many attempts, one after the other

    def once(self, method: str, path: str, body: bytes | None = None) -> Outcome:
        """One attempt."""
        headers = {} if body is None else {"Content-MD5": _md5_of(body)}
        outcome = self._transport.exchange(
            Request(
                method=method,
                path=path,
                safety=Safety.READ if body is None else Safety.ONCE,  # a body gets a fresh connection
                doing="",
                body=None if body is None else PlainBody(body),
                is_advisory=self._timed_out > 0,
                headers=headers,
            )
        )
        is_late = isinstance(outcome, NoAnswer) and outcome.timed_out
        self._timed_out = self._timed_out + 1 if is_late else 0
        return outcome

    def repeated(self, method: str, path: str, what: str, body: bytes | None = None) -> Reply:
        """An answer, after as many attempts as help. what: of the state, such as "be read". Raises StoreUnavailable.

        Every answer is returned that another attempt would not change, refusals too.
        """
        attempt, down_since = 0, self._clock.monotonic()
        while True:
            attempt += 1
            started_at = self._clock.monotonic()
            outcome = self.once(method, path, body)
            wait_s = self.wait_s(outcome, attempt, since=down_since, started_at=started_at)
            if wait_s is None:
                if isinstance(outcome, Reply):
                    return outcome
                raise self.refusal(outcome, what)
            if isinstance(outcome, Reply):
                down_since = self._clock.monotonic()
            self._clock.wait(wait_s)

    def wait_s(self, outcome: Outcome, attempt: int, *, since: float, started_at: float) -> float | None:
        """Seconds until another attempt; None when it would not help. since: when the server was last reached."""
        now = self._clock.monotonic()
        if self._timed_out > 1:
            return None
        if isinstance(outcome, NoAnswer):
            return retry.reconnect_after_s(
                outcome,
                attempt,
                safety=Safety.REPEATABLE,
                draw=self._draw(),
                down_s=now - since,
                took_s=now - started_at,
                has_answered=self._transport.has_answered,
            )
        if outcome.is_success and _is_damaged(outcome):
            return retry.reread_after_s(attempt, safety=Safety.READ, draw=self._draw())
        if outcome.status in LOCKED or (outcome.status == 501 or outcome.status < 400):
            return None
        safety = Safety.REPEATABLE
        return retry.retry_after_s(outcome, attempt, safety=safety, now=self._clock.now(), draw=self._draw())

    def refusal(self, outcome: Outcome, what: str) -> StoreUnavailable:
        """The error for an answer that is of no use, or for none. what: of the state, such as "be read"."""
        if isinstance(outcome, NoAnswer):
            return StoreUnavailable(
                f"the state {self._shown} could not {what}: {outcome.what}", hint=outcome.hint or _ADDRESS_HINT
            )
        status = outcome.status
        if outcome.is_success:
            why = "its answer was damaged on the way" if _is_damaged(outcome) else f"its answer, {status}, says nothing"
            return StoreUnavailable(f"the state {self._shown} could not {what}: {why}", hint=_ADDRESS_HINT)
        if 300 <= status < 400:
            return StoreUnavailable(
                f"the state {self._shown} could not {what}: the server redirects to another address ({status}), "
                "which is not followed, as the credentials would go along",
                hint="write the URL that it leads to, if that is the right server",
            )
        said = self._said(outcome)
        return StoreUnavailable(
            f"the state {self._shown} could not {what}: the server answered {status}{said}",
            hint=self._hint(status),
        )

    def _hint(self, status: int) -> str:
        if status == 401 and self._has_login:
            return _WRONG_LOGIN
        return _HINTS.get(status) or ("try again later" if status >= 500 or status == 429 else _ADDRESS_HINT)

    def checked(self, reply: Reply, what: str) -> Reply:
        """The same answer. Raises StoreUnavailable for one that is a web page, or was damaged on the way."""
        if _is_damaged(reply):
            raise self.refusal(reply, what)
        if reply.content.lstrip()[:1] == b"<":
            raise StoreUnavailable(
                f"the state {self._shown} could not {what}: the server answered with a web page, not with a state",
                hint="check the URL; a sign-in page in front of the server may have answered",
            )
        return reply

    def close(self) -> None:
        self._transport.close()

    def _said(self, reply: Reply) -> str:
        """What the server says of a refusal, in parentheses; "" where it says nothing that can be shown."""
        try:
            plain = codec.parsed(reply.content)
        except Misfit:
            return ""
        found = plain.get("message") or plain.get("error") if isinstance(plain, dict) else None
        return f" ({self._transport.mask(found)[:_SAID_CHARACTERS]})" if isinstance(found, str) else ""


def _md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _is_damaged(reply: Reply) -> bool:
    """Whether the body is not the one that the server's own checksum is of."""
    said = reply.headers.get("content-md5", "").strip()
    return bool(said) and "content-encoding" not in reply.headers and said != _md5_of(reply.content)
