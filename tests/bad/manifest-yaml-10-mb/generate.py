"""A manifest larger than any is read."""


def generate(folder: str) -> None:
    with open(f"{folder}/scenario.yaml", "w") as file:
        file.write("version: 1\n" + "# padding\n" * 1_100_000)
