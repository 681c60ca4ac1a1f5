"""Draws the two picture sets of the quickstart: `python draw.py` here, with nothing but Pillow.

Everything is seeded: the same Pillow gives the same pictures. The sets are committed, so nobody needs to run this; it
is here so that nobody has to ask where the pictures are from. They are CC0 (LICENSE.txt).
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from art import kael, props  # noqa: E402  # the folder of this script has to be importable first


def main() -> None:
    """Write kael/*.jpg and props/*.png; names given as arguments limit the run to those pictures."""
    wanted = set(sys.argv[1:])
    for folder, pictures, suffix in (("kael", kael.PICTURES, "jpg"), ("props", props.PICTURES, "png")):
        (HERE / folder).mkdir(exist_ok=True)
        for name, draw in pictures.items():
            if wanted and name not in wanted:
                continue
            target = HERE / folder / f"{name}.{suffix}"
            picture = draw()
            if suffix == "jpg":
                picture.save(target, quality=88, optimize=True, progressive=True)
            else:
                picture.save(target, optimize=True)
            print(f"{target.relative_to(HERE)}  {picture.width}x{picture.height}  {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
