"""SHA-256 checksums that S3 keeps of objects: a picture that is known by its digest need not be fetched.

obstore does not ask for them, so the request is signed here (Signature Version 4). Only credentials of the environment
are used. Google Cloud Storage and Azure keep no SHA-256.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_EMPTY = sha256(b"").hexdigest()


class ChecksumReader:
    """Asks one bucket. endpoint None: that of AWS."""

    def __init__(self, bucket: str, endpoint: str | None) -> None:
        import urllib3

        self._region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._base = (endpoint or f"https://s3.{self._region}.amazonaws.com").rstrip("/") + f"/{bucket}/"
        self._pool = urllib3.PoolManager(maxsize=12, timeout=urllib3.Timeout(connect=10, read=30), retries=False)

    def of(self, key: str) -> str | None:
        """The digest in hex; None where the store keeps none of the whole object, or does not answer."""
        import urllib3

        name, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not name or not secret:
            return None
        url = self._base + quote(key, safe="/~")
        headers = {"x-amz-checksum-mode": "ENABLED", "x-amz-content-sha256": _EMPTY}
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            headers["x-amz-security-token"] = token
        signed = signed_headers("HEAD", url, headers, name, secret, self._region, datetime.now(UTC))
        try:
            answer = self._pool.request("HEAD", url, headers=signed, redirect=False)
            digest = b64decode(answer.headers.get("x-amz-checksum-sha256", ""), validate=True)
        except (urllib3.exceptions.HTTPError, NotBase64, ValueError):
            return None
        return digest.hex() if answer.status == 200 and len(digest) == sha256().digest_size else None


def signed_headers(
    method: str, url: str, headers: Mapping[str, str], key: str, secret: str, region: str, now: datetime
) -> dict[str, str]:
    """The headers of a request without a query or body, with its signature. Source: AWS, "Signature Version 4"."""
    parts = urlsplit(url)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    held = {**headers, "host": parts.netloc, "x-amz-date": moment}
    names = ";".join(sorted(held))
    lines = "".join(f"{name}:{held[name]}\n" for name in sorted(held))
    request = "\n".join((method, parts.path, "", lines, names, held["x-amz-content-sha256"]))
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, sha256(request.encode()).hexdigest()))
    derived = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, text.encode(), "sha256").hex()
    signing = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**held, "Authorization": signing}
