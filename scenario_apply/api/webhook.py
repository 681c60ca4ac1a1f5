"""Sends one notification to a webhook. Its URL is a secret: no message of this module holds any part of it."""

from __future__ import annotations

import http.client
import os
import threading
from urllib.parse import urlsplit

from scenario_apply.api.urls import stays_on_this_machine

SOCKET_S = 5.0
"""How long the webhook may take to accept a connection, or for a part of its answer."""


def post_to_webhook(url: str, body: bytes, *, deadline_s: float, allow_http: bool = False) -> str | None:
    """None once the webhook has accepted it; else why not, in words without the URL. Takes at most deadline_s.

    Redirects are not followed. The proxies of the environment are used, except on the way to this machine.
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
    import ssl
    import urllib.error
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object, **__: object) -> None:
            return None

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or None  # SSL_CERT_FILE is followed by itself
    proxies = {} if stays_on_this_machine(url) else urllib.request.getproxies()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310  # http or https: see _problem_of
    try:
        is_folder = bundle is not None and os.path.isdir(bundle)
        trusted = ssl.create_default_context(cafile=None if is_folder else bundle, capath=bundle if is_folder else None)
        handlers = (NoRedirect, urllib.request.HTTPSHandler(context=trusted))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), *handlers)
        with opener.open(request, timeout=SOCKET_S):
            return None  # what it answers is of no interest
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"it could not be reached ({type(reason).__name__})"  # the error's own text may hold the URL
