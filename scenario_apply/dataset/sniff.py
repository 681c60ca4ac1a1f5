"""Recognises files that are not pictures by their first bytes, so that the message can say what they are."""

from __future__ import annotations

from scenario_apply.model.file_names import name_of, suffix_of

_RAW_SUFFIXES = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2"})
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "F04", "a PDF document; export its pages as PNG"),
    (b"8BPS", "F04", "a Photoshop document; export it as PNG"),
    (b"PK\x03\x04", "F01", "a zip archive; unpack it"),
    (b"\x1f\x8b", "F01", "gzip data; unpack it"),
    (b"\x00\x00\x00\x0cJXL ", "F04", "JPEG XL; convert it to PNG"),
    (b"\xff\x0a", "F04", "JPEG XL; convert it to PNG"),
    (b"\x00\x00\x00\x0cjP  ", "F04", "JPEG 2000; convert it to PNG"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def not_an_image(head: bytes, *, name: str) -> tuple[str, str] | None:
    """(lint code, "what it is; how to fix it"), or None when it may be a picture. head: its first KiB."""
    shown = name_of(name)
    if not head:
        return "F01", f"{shown} is empty (0 bytes); download or export it again"
    if not head.strip(b"\0"):
        return "F01", f"{shown} contains only zero bytes; download or export it again"
    for magic, code, what in _MAGIC:
        if head.startswith(magic):
            return code, f"{shown} is {what}"
    if suffix_of(name) in _RAW_SUFFIXES:
        return "F04", f"{shown} is a raw camera file; convert it to JPEG or PNG"
    return _text(head, shown)


def is_picture(head: bytes) -> bool:
    """Whether the first 32 bytes are those of a picture that trainings take, or that people take for one."""
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")):
        return True
    if head.startswith(b"BM"):
        return head[6:10] == b"\0\0\0\0"
    if head[4:8] == b"ftyp":
        return head[8:12] in (*_HEIF_BRANDS, b"avif", b"avis")
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def is_heif(head: bytes) -> bool:
    """Whether it is HEIC or another HEIF format, which needs the extra [heif]. AVIF does not count."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS


def _text(head: bytes, shown: str) -> tuple[str, str] | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "F01", f"{shown} is a web page, not an image; the download failed: fetch it again"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "F04", f"{shown} is an SVG drawing; export it as PNG"
    if start.startswith((b"{", b"[")) and b"\0" not in head:
        return "F01", f"{shown} contains JSON, not an image; the download failed: fetch it again"
    if _is_text(head):
        return "F01", f"{shown} is text, not an image; replace it with the picture"
    return None


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for cut in range(4):  # the KiB may end inside a character
        try:
            text = head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return sum(sign.isprintable() or sign in "\t\r\n" for sign in text) > 0.95 * len(text)
    return False
