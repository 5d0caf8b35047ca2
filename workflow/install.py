"""Make the virtual environment: the locked packages with their hashes, torch, and this package, in that order.

Run by the Makefile with the Python found on the machine, so it uses the standard library only, and nothing newer than
Python 3.6 until it has checked the version: an old Python must end with a sentence, not with a syntax error.
"""

import os
import re
import subprocess
import sys

OLDEST = (3, 11)
REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK = os.path.join(REPOSITORY, "requirements.lock")


def stop(sentence):
    """Print why the set-up cannot go on and leave with exit status 1."""
    sys.exit("set-up: " + sentence)


def check_python(version=tuple(sys.version_info[:2])):
    """Refuse a Python that is too old or has no venv and pip of its own."""
    found, needed = (".".join(map(str, parts)) for parts in (version, OLDEST))
    if version < OLDEST:
        stop(
            f"Python {needed} or newer is needed and {sys.executable} is {found}; "
            "name another one: make setup PYTHON=python3.12"
        )
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            stop(
                f"{sys.executable} has no module {module}; install your system's package for it "
                "(on Debian and Ubuntu: python3-venv) or name another Python: make setup PYTHON=..."
            )


def torch_requirement():
    """Return the torch that pyproject.toml pins, e.g. ``torch==2.13.0``."""
    with open(os.path.join(REPOSITORY, "pyproject.toml"), encoding="utf-8") as file:
        found = re.search(r'"(torch==[^"]+)"', file.read())
    if found is None:
        raise SystemExit("set-up: pyproject.toml pins no torch==VERSION.")
    return found.group(1)


def run(command, log, on_line=None):
    """Run a command, keep what it prints in the log, and stop with the end of the log if it fails."""
    log.write("$ {}\n".format(" ".join(command)))
    log.flush()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, cwd=REPOSITORY
    )
    last = [""]
    for line in process.stdout or ():
        log.write(line)
        last = ([*last, line])[-25:]
        if on_line is not None:
            on_line(line)
    if process.wait() != 0:
        stop("this failed: {}\n{}(all of it: {})".format(" ".join(command), "".join(last), log.name))


class Progress:
    """Counts the packages that pip has come to: one line that moves on a terminal, a line in 50 elsewhere."""

    def __init__(self, total):
        self.total = total
        self.seen = 0

    def __call__(self, line):
        """Take in one line of pip's output."""
        if line.startswith("Installing collected packages"):
            self.show("  installing {} packages".format(line.count(",") + 1), always=True)
            print(flush=True)
        elif line.startswith(("Collecting ", "Processing ", "Requirement already satisfied")):
            self.seen += 1
            self.show(f"  package {self.seen} of {max(self.seen, self.total)}")

    def show(self, text, always=False):
        """Print a state, on a terminal over the one before."""
        if sys.stdout.isatty():
            print(f"\r{text:<40}", end="", flush=True)
        elif always or self.seen % 50 == 0:
            print(text, flush=True)


def install(environment):
    """Create the environment if there is none and bring it to what the lock says."""
    python = os.path.join(environment, "bin", "python")
    if not os.path.exists(python):
        print(f"Making {environment} with {sys.executable}", flush=True)
        subprocess.check_call([sys.executable, "-m", "venv", environment])
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    torch = torch_requirement()
    with open(LOCK, encoding="utf-8") as file:
        locked = sum(1 for line in file if re.match(r"\w[\w.-]*==", line))
    with open(os.path.join(environment, "setup.log"), "w", encoding="utf-8") as log:
        print(f"Installing {locked} locked packages (log: {log.name})", flush=True)
        run([*pip, "--no-deps", "--require-hashes", "-r", LOCK], log, Progress(locked))
        # torch comes after the lock: all it needs but an accelerator's libraries is then there in the locked version.
        print(f"Installing {torch} (with CUDA this downloads several GB once)", flush=True)
        run([*pip, torch], log)
        run([*pip, "--no-deps", "--no-build-isolation", "--editable", REPOSITORY], log)
        run([python, "-m", "pip", "check"], log)
    print(f"The environment in {environment} is ready.", flush=True)


if __name__ == "__main__":
    check_python()
    install(sys.argv[1] if len(sys.argv) > 1 else os.path.join(REPOSITORY, ".venv"))
