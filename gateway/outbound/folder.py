"""Letters to the spool folder, for the VANS client and for the teams.

``out/medcom/<type>-<envelope id>.<xml or edi>``, ``out/teams/<team>/<our letter id>.json``.
"""

from collections.abc import Sequence
from pathlib import Path

from gateway.errors import SpoolError
from gateway.outbound.envelopes import Transmission
from gateway.outbound.sink import Result
from gateway.referral.letters import Channel
from gateway.spool import spool_errors, write_whole


class FolderSink:
    """Writes whole files only; names are built from our own ids."""

    def __init__(self, folder: Path, teams: Sequence[str]) -> None:
        self._out = folder / "out"
        self._teams = frozenset(teams)
        with spool_errors():
            for name in ("medcom", *(f"teams/{team}" for team in teams)):
                (self._out / name).mkdir(parents=True, exist_ok=True)

    def send(self, transmissions: Sequence[Transmission]) -> list[Result]:
        """Write each transmission to its file; what is written when the folder fails half-way stays sent."""
        results: list[Result] = []
        for transmission in transmissions:
            try:
                results.append(self._write(transmission))
            except SpoolError:
                if not any(result.sent for result in results):
                    raise
                results.append(Result(transmission=transmission, sent=False, unknown=True))
        return results

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, transmission: Transmission) -> Result:
        letter = transmission.letter
        if letter.channel is Channel.TEAM and letter.receiver not in self._teams:
            return Result(transmission=transmission, sent=False, why="unroutable")
        with spool_errors():
            write_whole(self._out / self._name(transmission), transmission.data)
        return Result(transmission=transmission, sent=True)

    @staticmethod
    def _name(transmission: Transmission) -> str:
        letter = transmission.letter
        if letter.channel is Channel.TEAM:
            return f"teams/{letter.receiver}/{letter.letter_id}.json"
        return f"medcom/{letter.kind}-{transmission.envelope_id}.{transmission.suffix}"
