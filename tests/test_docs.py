"""What the documents name exists: files, functions, options, commands, and the picture that is drawn from a table."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from client import cli as client_cli
from scripts.draw_protocol import drawing
from server import cli as server_cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONCURRENCY.md")


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def definitions(file: str) -> frozenset[str]:
    """The functions and classes of a file, and its methods as `Class.method`."""
    names: set[str] = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(names)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_and_functions_exist(document: str) -> None:
    named = re.findall(r"`((?:chat|client|server|tests|scripts)/[\w./-]*)(?:::([\w.]+))?`", text(document))
    assert len(named) > 8
    for file, function in named:
        assert (ROOT / file).exists(), file
        assert not function or function in definitions(file), f"{file}::{function}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text(document)):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(("program", "cli"), [("chat-server", server_cli), ("chat-client", client_cli)])
def test_the_readme_names_every_option_and_no_other(program: str, cli: object) -> None:
    section = text("README.md").partition(f"### {program}")[2].partition("\n##")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", section))
    shown = subprocess.run(
        [sys.executable, "-m", str(getattr(cli, "__name__", "")), "--help"], capture_output=True, text=True, check=True
    )
    offered = set(re.findall(r"^  (?:-h, )?(--[a-z][a-z-]+)", shown.stdout, re.MULTILINE)) - {"--help"}
    assert named == offered


def test_the_picture_of_a_connections_life_is_the_tables() -> None:
    assert drawing() in text("README.md")


def test_commands_are_there_and_can_be_run() -> None:
    for command in set(re.findall(r"scripts/[a-z-]+\b(?![./_])", text("README.md"))):
        path = ROOT / command
        assert path.is_dir() or path.stat().st_mode & 0o100, command


def test_every_model_of_the_server_is_in_the_tour() -> None:
    from server.models import NAMES

    for name in NAMES:
        assert f"`server/models/{name.replace('-', '_')}.py`" in text("CONCURRENCY.md"), name
