"""Whatever the teams tell in whatever order: at most one discharge note, none after a return, the history whole."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.referral.case import Case, State
from gateway.referral.events import EventType
from tests.builders import BACK_TEAM, CONSULTANTS, diagnosis, icpc, opened, sks, tell

STARTS = {
    "accepted": opened(),
    "two teams": opened(diagnoses=(diagnosis("DE119"), diagnosis("L86", "ICPCkode")), text="Færdigudredt."),
    "two at one team": opened(diagnoses=icpc("T90", "P17")),
    "review": opened(diagnoses=(*sks("DE119", "DM545"), *sks("DE109"))),
    "return": opened(diagnoses=icpc("T82")),
}
#: who hears only these of a case is owed no note: nobody took the citizen on
NEVER_TAKEN_ON = {
    "returned",
    "info_requested",
    "referral_requested",
    "closed",
    "contacted",
    "talk_booked",
    "reassigned",
}
#: what was told: the type, by whom, and which earlier event or assignment it names
TELLINGS = st.tuples(
    st.sampled_from(sorted(EventType)), st.sampled_from([CONSULTANTS, BACK_TEAM]), st.integers(0, 5), st.booleans()
)


@settings(max_examples=250)
@given(st.sampled_from(sorted(STARTS)), st.lists(TELLINGS, max_size=14))
def test_any_history(start: str, tellings: list[tuple[str, str, int, bool]]) -> None:
    case, notes = STARTS[start], 0
    for number, (kind, team, named, names_assignment) in enumerate(tellings):
        changes: dict[str, object] = {"team": team, "event_id": f"E{number}", "case_id": case.case_id}
        if kind == "withdrawn":
            changes["withdraws"] = f"E{named}"
        elif names_assignment:
            changes["assignment"] = case.assignments[named % len(case.assignments)].id
        outcome = tell(case, kind, **changes)
        if not outcome.cases:
            assert [p.fault.id for p in outcome.parked] == ["GW-162"]
            assert outcome.parked[0].fault.detail
            continue
        (after,) = outcome.cases
        notes += sum(letter.kind == "XDIS15" for letter in outcome.outgoing)
        assert_sound(case, after)
        assert notes <= 1
        assert (notes == 1) == (after.discharged_at is not None)
        case = after
    if {e.type for e in case.events} <= NEVER_TAKEN_ON:
        assert notes == 0
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case


def assert_sound(before: Case, after: Case) -> None:
    assert after.number == before.number + 1
    assert after.events[:-1] == before.events
    assert after.assignments
    assert after.state in State
    assert len({a.id for a in after.assignments}) == len(after.assignments)
    assert before.all_ended or not after.owes_discharge_note
