"""Text in an encoding of its own time."""


def generate(folder: str) -> None:
    with open(f"{folder}/scenario.yaml", "wb") as file:
        file.write("version: 1\nmodels:\n  kael:\n    name: Waldläufer\n".encode("latin-1"))
