"""The recorded messages and what the teams tell about them: material for the demo and for tests."""

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import msgspec

from gateway.referral.ids import Cause, fhir_id
from gateway.referral.workdays import COPENHAGEN

_FOLDER = "recorded"
#: a talk or session lasts this long in the stories
_SESSION = timedelta(minutes=45)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One case's events, in order."""

    message: str
    team: str
    author: dict[str, str]
    steps: tuple[dict[str, Any], ...]

    def events(self, episode: str, start: datetime) -> Iterator[dict[str, Any]]:
        """The events as a team would send them, the first at ``start``."""
        moment = start
        for number, step in enumerate(self.steps):
            moment += timedelta(hours=step.get("hours", 0))
            yield self._event(number, step, episode, moment)

    def _event(self, number: int, step: dict[str, Any], episode: str, moment: datetime) -> dict[str, Any]:
        given = {k: v for k, v in step.items() if k not in {"hours", "booked_in_hours", "team"}}
        event = {
            "event_id": fhir_id(Cause(sender=self.message, id=episode), "event", str(number)),
            "episode_of_care_id": episode,
            "team": step.get("team", self.team),
            "occurred": moment.astimezone(COPENHAGEN).isoformat(),
            "author": self.author,
            **given,
        }
        if "contact_class" in step and step["type"] in {"talk_held", "session_held", "no_show"}:
            event["period"] = {"start": moment.isoformat(), "end": (moment + _SESSION).isoformat()}
        if "booked_in_hours" in step:
            event["booked_for"] = (moment + timedelta(hours=step["booked_in_hours"])).isoformat()
        if step["type"] == "course_started":
            event["started"] = moment.astimezone(COPENHAGEN).date().isoformat()
        if step["type"] == "course_completed":
            event["ended"] = moment.astimezone(COPENHAGEN).date().isoformat()
        return event


def recorded() -> dict[str, bytes]:
    """The recorded messages by file name, in order."""
    folder = resources.files("gateway.simulate").joinpath(_FOLDER)
    return {f.name: f.read_bytes() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".xml")}


def stories() -> tuple[Story, ...]:
    """The recorded stories."""
    text = resources.files("gateway.simulate").joinpath(_FOLDER, "stories.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["story"], tuple[Story, ...])
