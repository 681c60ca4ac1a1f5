"""The entry point. --version is answered before anything is imported; cli.main handles the rest."""

# No `from __future__` here and in the package's __init__: that import would run before the working folder is removed
# from the module search path.
import os
import sys

UNSUPPORTED = "scenario-apply runs on Linux, macOS and WSL. On Windows, install it inside WSL: https://aka.ms/wsl\n"


def main(argv: list[str] | None = None) -> int:
    """Run one command line, sys.argv without the program when argv is None; returns the exit code."""
    if argv is None:
        open_closed_streams()
    if sys.platform == "win32":
        sys.stderr.write(UNSUPPORTED)
        return 1
    if argv is None:
        forget_working_folder()
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in ("--version", "-V"):
        return show_version()
    from scenario_apply.cli.main import run

    return run(arguments)


def show_version() -> int:
    """Print it; the exit code."""
    from scenario_apply.version import VERSION

    try:
        sys.stdout.write(f"scenario-apply {VERSION}\n")
        sys.stdout.flush()
    except OSError:
        from scenario_apply.cli.standard_streams import silence

        silence(sys.stdout)
        return 1
    return 0


def open_closed_streams() -> None:
    """Open /dev/null where the caller closed stdin, stdout or stderr (cron, a daemon, `>&-`).

    Else the next file that is opened takes the number, and what is meant for the screen is written into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(number, True)  # as the three are, for programs that are started
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # kept to the end


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
