"""Docs are run: every command shown with a ``$`` works, every link leads somewhere, every fault is explained."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import FAULTS
from gateway.mapping.explanation import wordings
from gateway.referral.events import EventType

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
FORBIDDEN = re.compile(r"/work/|/root/|/home/")


def commands(page: Path) -> list[str]:
    lines = [line for block in BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for command in commands(page):
        folder = ROOT if command.startswith("./scripts/") else tmp_path
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        assert shlex.split(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_pages_are_about_the_product(page: Path) -> None:
    assert FORBIDDEN.findall(page.read_text(encoding="utf-8")) == []


def test_operators_find_every_fault() -> None:
    text = (ROOT / "docs" / "da" / "drift.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"GW-\d+", text))
    for first, last in re.findall(r"GW-(\d+)–GW-(\d+)", text):
        shown |= {f"GW-{n}" for n in range(int(first), int(last) + 1)}
    assert set(FAULTS) - shown == set()


def test_sundhedskonsulenter_find_every_reason_and_flag_in_the_words_of_the_table() -> None:
    text = (ROOT / "docs" / "da" / "beslutninger.md").read_text(encoding="utf-8")
    rows = {name: w for name, w in wordings().items() if w.kind in {"reason", "flag"}}
    assert [n for n, w in rows.items() if f"| `{n}` | {w.title} | {w.meaning} |" not in text] == []


def test_teams_find_every_event_type() -> None:
    text = (ROOT / "docs" / "howto" / "send-a-team-event.md").read_text(encoding="utf-8")
    assert [t.value for t in EventType if f"`{t.value}`" not in text] == []
