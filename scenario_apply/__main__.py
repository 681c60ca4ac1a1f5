"""The entry point. --version is answered before anything is imported; everything else goes to cli.main."""

# No `from __future__` here and in the package's __init__: that is an import too, and it would come before the working
# folder is taken off the search path.
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
    if len(arguments) == 1 and arguments[0] in ("--version", "-V"):
        from scenario_apply.version import VERSION

        sys.stdout.write(f"scenario-apply {VERSION}\n")
        return 0
    from scenario_apply.cli.main import run

    return run(arguments)


def forget_working_folder() -> None:
    """Take the working folder off the search path of modules.

    `python -m scenario_apply` puts it there, an empty entry in PYTHONPATH too, and it is often the folder of manifests:
    a json.py in a repository must not run. Our own modules are found without it, wherever they lie.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:  # the folder was deleted: nothing can be imported from it
        here = ""
    sys.path[:] = [folder for folder in sys.path if folder not in ("", ".", here)]


if __name__ == "__main__":
    raise SystemExit(main())
