"""A file outside the manifest's folder, and a link to it."""

from pathlib import Path


def generate(folder: str) -> None:
    outside = Path(folder).parent / "secret.yaml"
    outside.write_text("hunter2: [\n")
    (Path(folder) / "linked.yaml").symlink_to(outside)
