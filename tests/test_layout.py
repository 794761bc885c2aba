"""The layout is a promise: who imports whom, where each concurrency model lives, and how long things may be."""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("chat", "client", "server")
FILES = sorted(
    str(path.relative_to(ROOT)) for folder in (*PACKAGES, "scripts", "tests") for path in (ROOT / folder).rglob("*.py")
)

IMPURE = {
    "asyncio", "concurrent", "ctypes", "gevent", "greenlet", "http", "ifaddr", "io", "logging", "mmap",
    "multiprocessing", "os", "pathlib", "queue", "random", "select", "selectors", "shutil", "signal", "socket",
    "socketserver", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
"""What the pure package may not import: whatever does input or output, tells the time, or runs beside."""

STAGES = {
    "reader": {"reader", "connection", "session", "gate", "admission"},
    "journal": {"journal", "clerk", "presence", "views"},
    "fan-out": {"fanout", "flusher", "bursts", "delivery", "router", "replays", "history"},
    "announcer": {"announcer", "gossip", "neighbours", "hints", "relay", "beacon_socket", "sources"},
}
"""The server's stages, by the modules that make them. The supervisor, with the backend, wires them."""

HOMES = {
    "epoll": ({"select.epoll"}, {"server/reader.py", "server/flusher.py"}),
    "select": ({"select.select", "select.poll"}, {"client/connection.py"}),
    "processes": (
        {"multiprocessing", "concurrent.futures"},
        {"server/children.py", "server/backend.py", "server/journal.py", "server/gauges.py"},
    ),
    "a Pool": ({"SPAWN.Pool", "multiprocessing.Pool", "multiprocessing.pool"}, {"server/backend.py"}),
    "a Manager": ({"multiprocessing.managers", "multiprocessing.Manager", "SPAWN.Manager"}, {"server/backend.py"}),
    "shared memory": ({"multiprocessing.shared_memory"}, {"server/gauges.py"}),
    "passing descriptors": ({"socket.send_fds", "socket.recv_fds"}, {"server/backend.py", "server/fanout.py"}),
    "threads": (
        {"threading.Thread", "_thread"},
        {"server/backend.py", "server/children.py", "server/flusher.py", "server/announcer.py",
         "server/hints.py",
         "client/headless.py", "client/sender.py", "client/receiver.py", "client/timers.py", "client/dialogue.py",
         "client/plain.py"},
    ),
    "gevent": ({"gevent"}, {"client/timers.py", "scripts/swarm.py"}),
    "greenlets": ({"greenlet"}, {"client/dialogue.py"}),
    "asyncio, and the doors into its loop": (
        {"asyncio"},
        {"client/app.py", "client/plain.py", "client/door.py", "client/insight.py", "client/pace.py"},
    ),
    "SQLite": (
        {"sqlite3"},
        {"server/database.py", "server/store.py", "server/words.py", "server/history.py", "server/fanout.py",
         "client/outbox.py"},
    ),
}  # fmt: skip
"""Each concurrency model, by the names that mean it: the files that may use it, and no other.

Everything in server/models/ is a home of its own: that folder shows the same server under each model.
"""

LONGER = {
    "chat/messages.py": "a list: every kind of message",
    "client/model.py": "what each message of the server means to the user",
    "client/seat.py": "what each command and each message asks for",
    "server/reader.py": "the essay on edge triggering, and the loop",
    "server/clerk.py": "a handler for each kind of command",
    "server/fanout.py": "the essay on Pools and Managers, and a handler for each kind of parcel",
}
FILE_LIMIT, TEST_FILE_LIMIT, LIMIT_OF_LONGER, FUNCTION_LIMIT = 250, 300, 450, 60


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def names_used(file: str) -> frozenset[str]:
    """Every module imported, and every dotted name that begins with an imported one: `select`, `select.epoll` …"""
    imported: dict[str, str] = {}
    spoken: set[str] = set()
    for node in ast.walk(tree(file)):
        match node:
            case ast.Import():
                imported |= {(alias.asname or alias.name.partition(".")[0]): alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                spoken.add(module)
                imported |= {(alias.asname or alias.name): f"{module}.{alias.name}" for alias in node.names}
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
                spoken.add(f"{owner}.{attribute}")
    return frozenset(
        {name for name in spoken if "." not in name or name.partition(".")[0] in imported} | set(imported.values())
    )


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def files_in(*patterns: str) -> list[str]:
    return [file for file in FILES if any(fnmatch.fnmatch(file, pattern) for pattern in patterns)]


def test_chat_is_pure() -> None:
    for file in files_in("chat/*"):
        for name in names_used(file):
            assert name.partition(".")[0] not in IMPURE | {"client", "server"}, f"{file} uses {name}"


def test_packages_know_only_chat_and_themselves() -> None:
    for package, other in (("client", "server"), ("server", "client")):
        for file in files_in(f"{package}/*"):
            assert not [name for name in names_used(file) if within(name, other)], file


def test_stages_do_not_import_one_another() -> None:
    for stage, modules in STAGES.items():
        others = {module for other, theirs in STAGES.items() if other != stage for module in theirs}
        for file in {f"server/{module}.py" for module in modules} & set(FILES):
            known = {name for name in names_used(file) if name.startswith("server.")}
            assert not known & {f"server.{other}" for other in others}, file


@pytest.mark.parametrize("model", HOMES)
def test_each_model_is_used_in_its_homes_and_only_there(model: str) -> None:
    spoken, homes = HOMES[model]
    users = {
        file
        for file in files_in("chat/*", "client/*", "server/*", "scripts/swarm.py")
        if any(within(name, word) for name in names_used(file) for word in spoken)
    }
    assert {file for file in users if not file.startswith("server/models/")} == homes & set(FILES)


SMALLER_WORLD = """
import builtins, importlib, os, select, signal, socket, sys
own, others = sys.argv[1].split(), sys.argv[2].split()
for name in others:  # these ask for the platform's name and believe it
    importlib.import_module(name)
for module, names in {
    select: ["epoll", "poll", "EPOLLIN", "EPOLLET"],
    os: ["fork", "forkpty", "sched_getaffinity", "eventfd", "pidfd_open", "getuid", "geteuid", "waitid"],
    socket: ["AF_UNIX", "socketpair", "send_fds", "recv_fds", "MSG_CTRUNC", "TCP_USER_TIMEOUT", "AF_NETLINK"],
    signal: ["SIGKILL", "SIGHUP", "SIGWINCH", "SIGTSTP", "set_wakeup_fd", "pthread_sigmask"],
}.items():
    for name in names:
        vars(module).pop(name, None)
absent = {"resource", "grp", "pwd", "termios", "tty", "pty", "syslog"}
kept = builtins.__import__
def without(name, globals=None, locals=None, fromlist=(), level=0):
    if name.partition(".")[0] in absent and (globals or {}).get("__name__", "").partition(".")[0] in ("chat", "client"):
        raise ImportError(name)
    return kept(name, globals, locals, fromlist, level)
builtins.__import__ = without
for name in own:
    importlib.import_module(name)
"""


def test_chat_and_client_import_without_anything_that_only_linux_has() -> None:
    files = [file for file in files_in("chat/*", "client/*") if not file.endswith("__main__.py")]
    own = [file.removesuffix(".py").replace("/", ".") for file in files]
    others = {name.partition(".")[0] for file in files for name in names_used(file) if name.islower()}
    others &= {"gevent", "greenlet", "ifaddr", "noise", "platformdirs", "prompt_toolkit", "cryptography", "precis_i18n"}
    command = [sys.executable, "-c", SMALLER_WORLD, " ".join(own), " ".join(others)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_every_package_is_listed_for_installation() -> None:
    listed = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    folders = {str(path.parent.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    assert not [folder for folder in folders if f'"{folder.replace("/", ".")}"' not in listed]


def test_files_are_short_enough_to_read_at_one_sitting() -> None:
    for file in files_in(*(f"{package}/*" for package in PACKAGES), "scripts/*", "tests/*"):
        length = len((ROOT / file).read_text(encoding="utf-8").splitlines())
        limit = LIMIT_OF_LONGER if file in LONGER else TEST_FILE_LIMIT if file.startswith("tests/") else FILE_LIMIT
        assert length <= limit, f"{file} has {length} lines"


def test_functions_fit_a_screen() -> None:
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= FUNCTION_LIMIT, f"{file}: {node.name} has {length} lines"


def test_every_file_opens_with_its_purpose() -> None:
    for file in FILES:
        if tree(file).body:
            assert ast.get_docstring(tree(file)), file


def test_no_test_sleeps_or_is_skipped() -> None:
    for file in files_in("tests/*"):
        for name in names_used(file):
            assert name not in ("pytest.skip", "pytest.xfail", "unittest.skip"), file
            assert name != "time.sleep" or file == "tests/waiting.py", file
        marks = [n.attr for n in ast.walk(tree(file)) if isinstance(n, ast.Attribute)]
        assert not {"skip", "skipif", "xfail"} & set(marks), file


def test_the_tables_above_are_sorted_out() -> None:
    """A module belongs to one stage; a file named as longer is."""
    groups = list(STAGES.values())
    assert all(not one & other for one, other in pairwise(groups))
    for file in LONGER:
        assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) > FILE_LIMIT, file
