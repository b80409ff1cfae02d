"""The jars of both servers: what this machine needs to have them, and fetching them once.

Maven resolves `pom.xml` into a cache folder named by that file's hash, so changed versions never mix with old ones and nothing is fetched
twice. The folder appears whole or not at all. Starting what is in it lives in `servers`.
"""

import fcntl
import functools
import hashlib
import importlib.resources
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status

from amont.native.errors import FetchFailed, Unavailable

OLDEST_JAVA = 17
NOUN = "Apache Kafka and the store (50 MB, once)"


def package_file(name: str) -> Path:
    """Our data file of that name; wheels are installed unpacked, so it is a real file."""
    return Path(str(importlib.resources.files("amont.native") / name))


def cache_root() -> Path:
    told = os.environ.get("AMONT_NATIVE_CACHE")
    return Path(told).expanduser().absolute() if told else Path.home() / ".cache" / "amont" / "native"


def jar_folder() -> Path:
    """Where the jars of this `pom.xml` are or would be."""
    digest = hashlib.sha256(package_file("pom.xml").read_bytes()).hexdigest()[:16]
    return cache_root() / digest / "lib"


def java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def missing() -> str | None:
    """Why this machine cannot run the servers, in one line; None when it can. Only the first run needs Maven."""
    if os.name != "posix":
        return "the native stack needs a POSIX system"
    program = java()
    if program is None:
        return f"no java found: install a JDK of version {OLDEST_JAVA} or later (Debian: apt-get install default-jdk-headless)"
    release = _compiler_release(program)
    if release is None:
        return f"{program} is older than {OLDEST_JAVA} or has no compiler: install a JDK, not only a JRE"
    if release < OLDEST_JAVA:
        return f"{program} is of version {release}, and {OLDEST_JAVA} or later is needed"
    if not jar_folder().is_dir() and shutil.which("mvn") is None:
        return "no mvn found, and the jars are not fetched yet: install Apache Maven (Debian: apt-get install maven)"
    return None


@functools.cache
def _compiler_release(program: str) -> int | None:
    """The major version of the Java compiler that comes with this `java`; None when there is none, as in a JRE."""
    command = [program, "--describe-module", "jdk.compiler"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the java that is installed here
    found = re.match(r"jdk\.compiler@(\d+)", answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None


def fetch() -> Path:
    """The folder of the jars, fetched if they are not there yet, with progress on a terminal.

    Raises:
        Unavailable: this machine lacks Java or Maven.
        FetchFailed: Maven could not bring all of it.
    """
    if reason := missing():
        raise Unavailable(reason)
    folder = jar_folder()
    if folder.is_dir():
        return folder
    with _progress() as status:
        cache_root().mkdir(parents=True, exist_ok=True)
        with only_one(cache_root() / ".lock"):
            if not folder.is_dir():
                _resolve_into(folder, status)
    return folder


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Held by one process at a time; others wait. The system lets go of it when its holder dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolve_into(folder: Path, status: Status) -> None:
    """Maven writes into a folder beside, which then takes the name in one step: a run that dies half-way leaves no half a cache."""
    status.update(f"fetching {NOUN}")
    with tempfile.TemporaryDirectory(dir=cache_root(), prefix=".fetching-") as work:
        whole = Path(work) / "whole"
        whole.mkdir()
        shutil.copy(package_file("pom.xml"), whole)
        _run_maven(whole, status)
        whole.rename(folder.parent)


def _run_maven(whole: Path, status: Status) -> None:
    goal = "dependency:copy-dependencies"
    command = ["mvn", "-B", "-f", "pom.xml", goal, "-DincludeScope=runtime", f"-DoutputDirectory={whole / 'lib'}"]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own words
        command, cwd=whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as maven:
        for line in maven.stdout or ():
            said.append(line.rstrip())
            if found := re.search(r"Downloaded from .*/(\S+)", line):
                status.update(f"fetching {NOUN}: {found[1]}")
    if maven.returncode or not any((whole / "lib").glob("kafka_*.jar")):
        errors = [line for line in said if "ERROR" in line] or said
        raise FetchFailed("\n".join(["Maven could not fetch the jars:", *errors[-10:]]))


def _progress() -> Status:
    """A line that moves on a terminal; silence in a pipe."""
    console = Console(stderr=True)
    console.quiet = not console.is_terminal
    return console.status(f"waiting for another run that fetches {NOUN}")
