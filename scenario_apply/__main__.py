"""The entry point. --version is answered before anything is imported; cli.main handles the rest."""

# No `from __future__` here and in the package's __init__: that import would run before the working folder is removed
# from the module search path.
import os
import sys

UNSUPPORTED = "scenario-apply runs on Linux, macOS and WSL. On Windows, install it inside WSL: https://aka.ms/wsl\n"


def main(argv: list[str] | None = None) -> int:
    """Run one command line, sys.argv without the program when argv is None; returns the exit code."""
    if sys.platform == "win32":
        sys.stderr.write(UNSUPPORTED)
        return 1
    if argv is None:
        forget_working_folder()
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in ("--version", "-V"):
        from scenario_apply.version import VERSION

        sys.stdout.write(f"scenario-apply {VERSION}\n")
        return 0
    from scenario_apply.cli.main import run

    return run(arguments)


def forget_working_folder() -> None:
    """Remove the working folder from the module search path.

    `python -m scenario_apply` puts it there, an empty entry in PYTHONPATH too, and it is often the folder of manifests:
    a json.py in a repository must not run. Our own modules are found without it.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:  # the folder was deleted: nothing can be imported from it
        here = ""
    sys.path[:] = [folder for folder in sys.path if folder not in ("", ".", here)]


if __name__ == "__main__":
    raise SystemExit(main())
