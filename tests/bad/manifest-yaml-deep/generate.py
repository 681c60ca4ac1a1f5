"""Nested far deeper than anybody writes."""


def generate(folder: str) -> None:
    with open(f"{folder}/scenario.yaml", "w") as file:
        file.write("version: 1\nx-deep: " + "[" * 5000 + "]" * 5000 + "\n")
