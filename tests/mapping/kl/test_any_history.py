"""Whatever happens in whatever order, reported night by night: the guide accepts it, and KL knows what is so."""

import random
from datetime import datetime, timedelta
from pathlib import Path

from gateway.mapping.kl.delivery_report import Report, told_in
from gateway.referral.events import EventType
from gateway.referral.steps import allowed
from tests.builders import BACK_TEAM, CONSULTANTS, SELF_CARE, TALK, TRAINING, icpc, sks
from tests.kl_builders import Citizen, Json, as_sent, check_with_the_guide, content
from tests.reference import shared_folder, thorough

NICOTINE = "6d24992e-e0a2-43e7-bc27-0234622a8655"
NUTRITION, WEIGHT = "c0ee1cf6-47a9-4523-8fda-a80a13e28e30", "febbd20d-f5ff-41e7-bf12-dfa0700678e0"
REFERRALS = (sks("DE119"), sks("DE109"), icpc("P17"), icpc("P17", "T90"), sks("DM545"), sks("DE119", "DM545"))


class Nights:
    """A citizen's weeks; a report is made every night."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.citizen = Citizen()
        self.reports: list[Report] = []
        self.told: list[tuple[str, str]] = []
        self.now = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001  (Danish wall clock, as the builders take it)

    def live(self, steps: int) -> None:
        cases = [self.citizen.referred(self._at(), diagnoses=self.random.choice(REFERRALS))]
        for number in range(steps):
            self._sleep()
            if number == steps // 2:
                more = {"episode": "9d1b2c3a4e5f60718293a4b5c6d7e8f9", "diagnoses": self.random.choice(REFERRALS)}
                cases.append(self.citizen.referred(self._at(), **more))
            elif number == steps - 2:
                self.citizen.referred(self._at(), status="rettetbrev", diagnoses=self.random.choice(REFERRALS))
            else:
                self._step(self.random.choice(cases))
        self._sleep()

    def _sleep(self) -> None:
        report = self.citizen.report(self._at()[:10], self.reports)
        self.reports += [report] if report else []
        self.now += timedelta(days=self.random.randint(1, 9))

    def _at(self) -> str:
        return self.now.isoformat(timespec="minutes")

    def _step(self, case_id: str) -> None:
        if self.told and self.random.random() < 0.2:
            case_id, own = self.random.choice(self.told)
            self._tell(case_id, "withdrawn", withdraws=own)
            return
        case = self.citizen.cases[case_id]
        assignment = self.random.choice(case.assignments)
        kinds = [kind for kind in allowed(assignment) if kind != EventType.CLOSED]
        if kinds:
            kind = self.random.choice(kinds)
            self._tell(
                case_id, kind, assignment=assignment.id, team=assignment.team, **self._details(kind, assignment.team)
            )

    def _details(self, kind: str, team: str) -> Json:
        begun = self.now.astimezone() - timedelta(hours=1)
        held = {"period": {"start": begun.isoformat(), "end": self.now.astimezone().isoformat()}}
        started = self._at()[:10]
        found = self.random.sample([NUTRITION, WEIGHT], self.random.randint(0, 2))
        details: Json = {
            "talk_held": held | {"conditions": found},
            "session_held": held,
            "no_show": held,
            "course_started": {
                "interventions": [self.random.choice([SELF_CARE, TRAINING, NICOTINE])],
                "started": started,
            },
            "course_completed": {"ended": started},
            "closing_talk_held": held | {"contact_class": "AMB", "conditions": found},
            "follow_up_held": held | {"contact_class": "1b55a4b0-1156-4f58-b2df-b5c6014d9048"},
            "reassigned": {"to_team": BACK_TEAM if team == CONSULTANTS else CONSULTANTS},
            "referred_on": {"to_team": BACK_TEAM, "interventions": [self.random.choice([TRAINING, TALK])]},
        }
        return details.get(kind, {})

    def _tell(self, case_id: str, kind: str, **details: object) -> None:
        """What the lifecycle refuses is not told."""
        try:
            own = self.citizen.tells(case_id, kind, self._at(), **details)
        except AssertionError:
            return
        if kind != "withdrawn":
            self.told.append((case_id, own))


def test_the_guide_accepts_every_report_and_kl_knows_what_is_so(tmp_path: Path) -> None:
    bundles: list[Json] = []
    for seed in range(thorough(60, 15)):
        nights = Nights(seed)
        nights.live(24)
        bundles += [as_sent(report) for report in nights.reports]
        _kl_knows_what_is_so(nights)
    assert len(bundles) > 100
    statuses = {entry["resource"].get("status") for bundle in bundles for entry in bundle["entry"]}
    assert statuses >= {"active", "completed", "revoked", "entered-in-error", "finished"}
    check_with_the_guide(shared_folder(), tmp_path, bundles)


def _kl_knows_what_is_so(nights: Nights) -> None:
    """A first report of everything holds nothing that the nightly ones have not told, in the same words."""
    whole = nights.citizen.report("2027-12-31")
    told = told_in(as_sent(report) for report in nights.reports)
    known = {kind: {key: one for key, one in told.items() if key.startswith(kind)} for kind in ("Ca", "Co", "En", "Se")}
    for kind in ("CarePlan", "Condition", "Encounter", "ServiceRequest"):
        so = {f"{kind}/{one['id']}": one for one in (content(whole, kind) if whole else [])}
        assert {key: known[kind[:2]][key] for key in so} == so
