"""Strategies: values that a letter can carry whole. What is written of them must be read as it was."""

from datetime import datetime

import msgspec
from hypothesis import strategies as st

from gateway.referral.letters import DischargeNote
from gateway.referral.model import (
    Address,
    Attachment,
    Citizen,
    ClinicalText,
    CodeSystem,
    Diagnosis,
    Episode,
    Party,
    Phone,
    Referral,
    Referrer,
    Relative,
    Visitation,
)
from gateway.referral.workdays import COPENHAGEN
from tests.mapping.values import CODES, perhaps
from tests.referral_builders import CIRCUMSTANCES, CLINICAL

WORDS = (
    "æøå", "ÆØÅ", "«tak»", "–", "100 €", "“citat”", "≥", "A&B", "<48", "&amp;", "]]>", "0101", "_", "Müller", "😀", "ł",
    "58 mmol/mol", "T90", "\N{NO-BREAK SPACE}", ".", "ikke", "<Break/>",
)  # fmt: skip
#: minutes only, and no hour that comes twice or never
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (the zone follows)
    max_value=datetime(2100, 12, 31),  # noqa: DTZ001
).map(lambda at: at.replace(hour=at.hour % 12 + 4, second=0, microsecond=0, tzinfo=COPENHAGEN))
ROLES = st.sampled_from(["uspec_diagnose", "bidiagnose", "tillaegsdiagnose", "operation"])


def line(length: int) -> st.SearchStrategy[str]:
    """One line of at most that length, without blanks at its ends."""
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
    return words.map(lambda text: text[:length].strip() or "x")


TEXTS = st.lists(line(200), min_size=1, max_size=4).map("\n".join)
ADDRESSES = st.builds(
    Address, street=perhaps(line(35)), suburb=perhaps(line(35)), district=perhaps(line(35)), postcode=perhaps(line(9))
)


def parties(**changes: st.SearchStrategy[object]) -> st.SearchStrategy[Party]:
    """An organisation with a GLN; a change of a part stands for what another role knows of it."""
    parts: dict[str, st.SearchStrategy[object]] = {
        "gln": line(35),
        "identifier": line(17) | st.just("079741"),
        "identifier_code": CODES,
        "organisation": perhaps(line(35)),
        "department": perhaps(line(35)),
        "unit": perhaps(line(35)),
        "address": ADDRESSES,
    }
    return st.builds(Party, **(parts | changes))


SENDERS = parties(
    organisation=line(35),
    phone=perhaps(line(25)),
    speciality=perhaps(st.sampled_from(["almen_medicin", "fysioterapi"])),
)
COPIES = parties(gln=st.none(), phone=perhaps(line(25)))
IDENTITIES = st.sampled_from([{"cpr": "0101659907"}, {"replacement_cpr": "010165ÆAK1"}])


def citizens(**parts: st.SearchStrategy[object]) -> st.SearchStrategy[Citizen]:
    return st.builds(
        lambda identity, **rest: Citizen(**identity, **rest),
        IDENTITIES,
        surname=line(70),
        given_name=perhaps(line(70)),
        **parts,
    )


REFERRED = citizens(
    title=perhaps(line(35)),
    address=ADDRESSES,
    phones=st.lists(
        st.builds(Phone, number=line(25), kind=st.sampled_from(["mobil", "arbejde", "fastnet"])), max_size=3
    ).map(tuple),
    email=perhaps(line(70)),
)
CODED = st.sampled_from(
    [
        {"system": CodeSystem.SKS, "code": "DE119"},
        {"system": CodeSystem.ICPC2, "code": "T90"},
        {"system": CodeSystem.SKS, "code": None},
        {"system": None, "code": None},
    ]
)
OTHERS = st.sampled_from([{"system": None, "code": "F1", "other_system": "fysioterapihenvisning"}])


def diagnoses(
    coded: st.SearchStrategy[dict[str, object]], main_role: st.SearchStrategy[str | None]
) -> st.SearchStrategy[tuple[Diagnosis, ...]]:
    def one(what: dict[str, object], text: str, role: str | None, *, main: bool) -> Diagnosis:
        return Diagnosis(**what, text=text, main=main, description_code=role)

    first = st.builds(one, coded, line(70), main_role, main=st.just(True))
    more = st.builds(one, coded, line(70), ROLES, main=st.just(False))
    return st.builds(lambda a, b: (*a, *b), st.lists(first, max_size=1), st.lists(more, max_size=5))


OBJECTS = st.just(
    {"object_id": "39dadacc87614d0e96f0f202b24a79c0", "object_code": "billede", "object_extension": "pdf"}
)
ATTACHMENTS = st.one_of(
    st.builds(Attachment, description=line(70), url=line(350)),
    st.builds(Attachment, description=line(70), sup=st.just(True)),
    st.builds(
        lambda parts, size, text: Attachment(description=text, object_size=size, **parts),
        OBJECTS,
        st.integers(1, 10**15 - 1),
        line(70),
    ),
)


def texts(*places: str) -> st.SearchStrategy[tuple[ClinicalText, ...]]:
    """At most one text of each place, in the order in which the letter has them."""
    each = [perhaps(st.builds(ClinicalText, place=st.just(place), text=TEXTS)) for place in places]
    return st.tuples(*each).map(lambda found: tuple(text for text in found if text))


def referrals(kind: str, version: str, **parts: st.SearchStrategy[object]) -> st.SearchStrategy[Referral]:
    """What every referral has, and what this version has beside it."""
    shared: dict[str, st.SearchStrategy[object]] = {
        "message_type": st.just(kind),
        "version": st.just(version),
        "letter_id": line(14),
        "episode_id": st.sampled_from(["39DADACC87614D0E96F0F202B24A79C0", "4b7c1f0a-9d2e4c6f-8a1b", "0001"]),
        "correction": st.booleans(),
        "statistical_code": line(8),
        "authorised": MOMENTS,
        "sender": SENDERS,
        "referrer": st.builds(
            Referrer,
            name=line(35),
            title=perhaps(line(35)),
            identifier=perhaps(line(17)),
            identifier_code=perhaps(CODES),
        ),
        "receiver": parties(),
        "answer_cc": perhaps(COPIES),
        "citizen": REFERRED,
        "relative": perhaps(
            st.builds(
                Relative,
                relation=st.just("mor"),
                identifier=perhaps(line(10)),
                surname=line(70),
                given_name=perhaps(line(70)),
            )
        ),
        "diagnoses": diagnoses(CODED, st.none()),
        "attachments": st.lists(ATTACHMENTS, max_size=3).map(tuple),
        "visitations": st.lists(st.builds(Visitation, code=st.just("visitering"), text=TEXTS), max_size=3).map(tuple),
    }
    return st.builds(Referral, **(shared | parts))


def _coded_main(referral: Referral) -> Referral:
    """XH1531R knows no diagnosis without a main one that has a code."""
    main = [d for d in referral.diagnoses if d.main and d.code]
    return msgspec.structs.replace(referral, diagnoses=referral.diagnoses if main else ())


CIRCUMSTANCE_CODES: dict[str, st.SearchStrategy[object]] = {
    "priority": perhaps(st.sampled_from(["elektiv", "akut", "saerlige_forhold"])),
    "referral_status": perhaps(st.sampled_from(["ambulant", "indlaeggelse"])),
    "transport": perhaps(st.sampled_from(["ingen", "liggende", "siddende"])),
    "texts": texts(*CIRCUMSTANCES, *CLINICAL),
}
EPISODES = st.lists(st.builds(Episode, type=st.sampled_from(["LPR3", "Andre"]), identifier=line(35)), max_size=2)
XREF15_XH1530R = referrals("XREF15", "XH1530R", texts=texts("Anamnesis"))
XREF15_XH1531R = referrals(
    "XREF15",
    "XH1531R",
    texts=texts("Anamnesis"),
    receiver=parties(department=line(35)),
    category=st.sampled_from(["social", "aeldre_omsorg", "sundhedspleje"]),
).map(_coded_main)
XREF01_XH0130R = referrals(
    "XREF01", "XH0130R", **(CIRCUMSTANCE_CODES | {"episode_id": perhaps(st.just("39DADACC87614D0E96F0F202B24A79C0"))})
)
XREF01_XH0131R = st.builds(
    lambda referral, episodes: msgspec.structs.replace(
        referral, episodes=(*episodes, Episode(type="henviser", identifier=referral.episode_id))
    ),
    referrals(
        "XREF01",
        "XH0131R",
        **CIRCUMSTANCE_CODES,
        hospital_choice=perhaps(st.just("ALDB02")),
        diagnoses=diagnoses(CODED | OTHERS, st.just("henv_diagnose_ny_sygdom")),
    ),
    EPISODES,
)


def discharge_notes(**changes: st.SearchStrategy[object]) -> st.SearchStrategy[DischargeNote]:
    """Discharge notes as XD1530L carries them."""
    parts: dict[str, st.SearchStrategy[object]] = {
        "text": TEXTS,
        "sender": SENDERS,
        "speciality_name": line(35),
        "receiver": parties(),
        "copy_receiver": perhaps(parties(gln=st.none())),
        "citizen": citizens(),
        "episode_id": line(35),
        "referral_id": line(14),
        "referred_at": MOMENTS,
        "received_at": MOMENTS,
        "diagnoses": diagnoses(CODED, st.none()),
        "category": st.none(),
        "ended_at": perhaps(MOMENTS),
        "signed_on": st.dates(min_value=datetime(1970, 1, 1).date()),  # noqa: DTZ001
        "signed_by": line(70),
        "job_title": line(70) | st.just(""),
        "at": MOMENTS,
    }
    return st.builds(DischargeNote, **(parts | changes))


XDIS15_XD1530L = discharge_notes()
XDIS15_XD1531L = discharge_notes(receiver=parties(department=line(35)), category=st.just("social")).map(
    lambda note: msgspec.structs.replace(note, diagnoses=tuple(d for d in note.diagnoses if d.code or not d.main))
)
