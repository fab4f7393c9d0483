"""``gateway explain --compare``: which decisions a change of tables or municipality file changes, side by side."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from gateway.clocks import system_now
from gateway.errors import ConfigurationError
from gateway.mapping.comparison import Comparison, Rules, compare
from gateway.mapping.interpretation import TABLES, interpretation, load_interpretation
from gateway.municipality.model import Municipality, load
from gateway.proof import proved_municipality
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.settings import Settings
from gateway.store.store import open_store

#: a municipality file beside the old tables
MUNICIPALITY = "municipality.toml"
_TABLES_IN_GIT = "gateway/mapping/tables"
_BUILT_IN_IN_GIT = "gateway/municipality/ishoej.toml"
_SOURCE = Path(__file__).parents[2]
_WORDS = {
    "outcome": "udfald",
    "teams": "team",
    "assignments": "indsats",
    "programmes": "programmer",
    "reasons": "årsager",
    "flags": "flag",
}
Dated = tuple[str, Referral, datetime]


def compare_and_tell(old: str, files: Sequence[Path], settings: Settings, *, as_json: bool) -> None:
    """Print what changes from the old rules to today's; without files, on all stored cases."""
    now = Rules(tables=interpretation(), municipality=proved_municipality(settings.municipality))
    before = old_rules(old, settings.municipality, now.municipality)
    found = compare(_of_files(files) if files else _of_store(settings), before, now)
    print(msgspec.json.encode(found).decode() if as_json else found.summary)
    if not as_json and found.changes:
        Console().print(_side_by_side(found))


def old_rules(old: str, path: Path | None, today: Municipality) -> Rules:
    """The rules in a folder of tables, or as they stood at a git reference of this program's own repository.

    A ``municipality.toml`` in the folder, or the built-in municipality file of the reference where no other is set,
    takes part; else today's municipality stands on both sides.

    Raises:
        ConfigurationError: GW-303 when it is neither, or a table is missing or wrong.
    """
    if Path(old).is_dir():
        return _rules(Path(old), today)
    with tempfile.TemporaryDirectory() as folder:
        for name in TABLES:
            Path(folder, name).write_bytes(_of_git(old, f"{_TABLES_IN_GIT}/{name}"))
        if path is None:
            Path(folder, MUNICIPALITY).write_bytes(_of_git(old, _BUILT_IN_IN_GIT))
        return _rules(Path(folder), today)


def _rules(folder: Path, today: Municipality) -> Rules:
    own = folder / MUNICIPALITY
    return Rules(tables=load_interpretation(folder), municipality=load(own) if own.is_file() else today)


def _of_git(reference: str, name: str) -> bytes:
    command = ["git", "-C", str(_SOURCE), "show", "--end-of-options", f"{reference}:{name}"]
    try:
        return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603  (a list, no shell)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError("GW-303", f"{reference!r} is no folder, and git knows no {name} there") from error


def _of_files(files: Sequence[Path]) -> Iterator[Dated]:
    """Referrals in messages; anything else in them is passed over."""
    for file in files:
        reading = read(file.read_bytes(), sbdh=True)
        received = reading.sent_at or system_now()
        for letter in reading.letters:
            if isinstance(letter.content, Referral):
                yield f"{file.name} {letter.letter_id}", letter.content, received


def _of_store(settings: Settings) -> Iterator[Dated]:
    with open_store(settings.store_url) as store:
        for case in store.past.cases():
            yield case.case_id, case.referral, case.received_at


def _side_by_side(found: Comparison) -> Table:
    table = Table("henvisning", "hvad", "før", "nu")
    for column in table.columns:
        column.overflow = "fold"
    for change in found.changes:
        for number, (field, (before, after)) in enumerate(change.fields.items()):
            table.add_row("" if number else change.name, _WORDS[field], before or "–", after or "–")
        table.add_section()
    return table
