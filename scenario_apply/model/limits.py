"""The service's own numbers, each once, with its source.

"The API contract" is the description of the service that the emulator and its tests are built on.
"""

from __future__ import annotations

from typing import Final

REQUESTS_PER_MINUTE: Final = 100
"""Requests a minute and project. Source: the guide "workflows-and-apps". Within it no refusal is expected."""

IDS_PER_ATTACH: Final = 10
"""Asset ids in one request that attaches training images. Source: the API reference, training images."""

MODELS_PER_BULK_READ: Final = 50
"""Models in one bulk read. The reference names no limit; the vendor's own plugin asks for 50."""

MODELS_PER_PAGE: Final = 500
"""Models in one page of a list, the most the reference allows."""

ASSETS_PER_BULK_READ: Final = 200
"""Assets in one bulk read, the most the reference allows."""

ASSETS_PER_PAGE: Final = 100
"""Assets in one page of a list, the most the reference allows."""

SINGLE_UPLOAD_BYTES: Final = 4_000_000
"""The largest image that is sent in one request; larger ones go in parts.

The guide "uploading-assets" allows bodies below 6 MB and does not say whether that counts the encoded body, which is a
third larger. The vendor's plugin switches at 4 MB.
"""

PART_BYTES: Final = 8 * 1024 * 1024
"""The parts of a multipart upload but for the last. The guide "uploading-assets" asks for at least 5 MB."""

NAME_LENGTH: Final = 64
"""Characters of a model's name. Source: the API reference, create a model."""
