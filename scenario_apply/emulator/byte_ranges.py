"""A file in pieces: `Range`, `If-Range` and `ETag`, so that a download can be resumed (RFC 9110, section 14)."""

from __future__ import annotations

import hashlib
import re

from scenario_apply.emulator.messages import Request, Response

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def whole_or_part(request: Request, data: bytes, content_type: str) -> Response:
    """200 with everything, 206 with the one range asked for, or 416. Several ranges at once are answered with 200."""
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if asked is None or asked[0] == "bytes=-" or request.headers.get("if-range", tag) != tag:
        return Response(data, 200, content_type, headers)
    first, last = asked[1], asked[2]
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(len(data), int(last) + 1) if first and last else len(data)
    if first and last and int(last) < int(first):
        return Response(data, 200, content_type, headers)  # not a range at all
    if start >= len(data):
        return Response(b"", 416, content_type, headers | {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, content_type, headers)
