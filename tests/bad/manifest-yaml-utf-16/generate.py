"""What some editors call Unicode."""


def generate(folder: str) -> None:
    with open(f"{folder}/scenario.yaml", "w", encoding="utf-16") as file:
        file.write("version: 1\n")
