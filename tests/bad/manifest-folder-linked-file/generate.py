"""A manifest of the folder that is a link to a file outside it."""

from pathlib import Path


def generate(folder: str) -> None:
    outside = Path(folder).parent / "secret.yaml"
    outside.write_text("hunter2: [\n")
    (Path(folder) / "all" / "b.yaml").symlink_to(outside)
