"""A picture by the name of a manifest."""


def generate(folder: str) -> None:
    with open(f"{folder}/scenario.yaml", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
