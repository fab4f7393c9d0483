"""``gateway demo --once``: everything from nothing, under a minute, and the promised traces of it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from gateway.simulate.stories import recorded, stories


def test_the_demo_handles_everything_and_ends(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
    environment |= {"COLUMNS": "120", "NO_COLOR": "1", "GATEWAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    spool = tmp_path / "spool"
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--once", "--spool", str(spool)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert time.monotonic() - started < 60
    assert ended.stderr == ""

    told = ended.stdout
    rows = dict(re.findall(r"│ (.+?) +│ +(\d+) │", told))
    assert rows["henvisninger og andre beskeder ind"] == str(len(recorded())) == "18"
    steps = sum(len(story.steps) for story in stories())
    assert rows["hændelser fra teams ind"] == str(steps)
    assert rows["parkeret med begrundelse"] == "3"
    assert {"XCTL02 ud", "XCTL03 ud", "XDIS15 ud", "XDIS91 ud", "VANSReceipt ud"} <= set(rows)
    assert "Forløb: " in told
    assert sorted(path.name for path in (spool / "parked").iterdir()) == [
        "15-truncated.xml",
        "15-truncated.xml.why.json",
        "17-wrong-receiver.xml",
        "17-wrong-receiver.xml.why.json",
        "18-impossible-cpr.xml",
        "18-impossible-cpr.xml.why.json",
    ]
    assert list((spool / "in").iterdir()) == list((spool / "work").iterdir()) == []
    assert (spool / "gateway.sqlite3").exists(), "never the database that someone's settings name"
