"""Sends one notification to a webhook. Its URL is a secret: no message of this module holds any part of it."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from scenario_apply.api.urls import stays_on_this_machine

CONNECT_S = 3.0
READ_S = 5.0


def post_to_webhook(url: str, body: bytes, *, deadline_s: float, allow_http: bool = False) -> str | None:
    """None once the webhook has accepted it; else why not, in words without the URL. Takes at most deadline_s.

    Redirects are not followed, and nothing of the caller's .netrc is sent.
    """
    problem = _problem_of(url, allow_http=allow_http)
    if problem is not None:
        return problem
    result: list[str | None] = []
    # a server may drip its answer for ever: the thread is left behind then, and ends with the process
    thread = threading.Thread(target=lambda: result.append(_posted(url, body)), daemon=True, name="webhook")
    thread.start()
    thread.join(deadline_s)
    return result[0] if result else f"it did not answer within {deadline_s:g} s"


def _problem_of(url: str, *, allow_http: bool) -> str | None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        is_url = False
    if not is_url:
        return "it is no http or https URL"
    if parts.scheme == "http" and not (allow_http or stays_on_this_machine(url)):
        return "http to another machine needs --allow-http"
    return None


def _posted(url: str, body: bytes) -> str | None:
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False  # no .netrc; proxies are looked up below
            reply = session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                proxies={} if stays_on_this_machine(url) else requests.utils.get_environ_proxies(url),
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,  # what it answers is of no interest
            )
            reply.close()
    except (requests.RequestException, OSError, ValueError) as error:
        return f"it could not be reached ({type(error).__name__})"  # the error's own text holds the URL
    return None if 200 <= reply.status_code < 300 else f"it answered {reply.status_code}"
