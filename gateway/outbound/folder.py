"""Letters to the spool folder: ``out/medcom/<type>-<envelope id>.xml``, ``out/teams/<team>/<our letter id>.json``."""

from collections.abc import Sequence
from pathlib import Path

from gateway.outbound.envelopes import Transmission
from gateway.outbound.sink import Result
from gateway.referral.letters import Channel
from gateway.spool import spool_errors, write_whole


class FolderSink:
    """Writes whole files only; names are built from our own ids."""

    def __init__(self, folder: Path, teams: Sequence[str]) -> None:
        self._out = folder / "out"
        with spool_errors():
            for name in ("medcom", *(f"teams/{team}" for team in teams)):
                (self._out / name).mkdir(parents=True, exist_ok=True)

    def send(self, transmissions: Sequence[Transmission]) -> list[Result]:
        """Write each transmission to its file."""
        with spool_errors():
            for transmission in transmissions:
                write_whole(self._out / self._name(transmission), transmission.data)
        return [Result(transmission=t, sent=True) for t in transmissions]

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def _name(transmission: Transmission) -> str:
        letter = transmission.letter
        if letter.channel is Channel.TEAM:
            return f"teams/{letter.receiver}/{letter.letter_id}.json"
        return f"medcom/{letter.kind}-{transmission.envelope_id}.{transmission.suffix}"
