"""REF01 and DIS91: MedCom's recorded pairs, every field, and round trips."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from gateway.mapping.edifact import codes, meddis, medref
from gateway.mapping.edifact.interchange import message, wrap
from gateway.mapping.edifact.message import Message, UnreadableLetterError, groups_of
from gateway.mapping.edifact.segments import read_segments
from gateway.mapping.edifact.texts import CUT_SHORT
from gateway.receive import read
from gateway.referral.letters import Arrival, Channel, DischargeNote, Outgoing, Payload, StatusLetter
from gateway.referral.model import Address, Attachment, Party, Referral, Visitation
from tests.builders import CPR, EPISODE, NAME, OUR_GLN, RECEIVED, SENDER_GLN
from tests.edifact_builders import dis91, ftx, interchange, party, patient, ref01
from tests.edifact_reference import edifact_violations, tokens
from tests.mapping import fitting
from tests.mapping.values import DISCHARGE_NOTES, STATUS_LETTERS
from tests.reference import thorough

RECEIPTS = ("CTL01_1", "CTL02_1", "CTL03_1")


def referral(**changes: object) -> Referral:
    (letter,) = read(interchange(ref01(**changes))).letters
    assert isinstance(letter.content, Referral), letter.fault
    return letter.content


def as_message(lines: list[str]) -> Message:
    """A message as a decoder sees it."""
    segments = read_segments("".join(f"{line}'" for line in lines).encode("iso-8859-1"))
    assert isinstance(segments, tuple)
    unh = segments[0]
    arrival = Arrival(sender_gln=SENDER_GLN, receiver_gln=OUR_GLN)
    return Message(
        letter_id=unh.part(1),
        type=unh.part(3),
        version=unh.part(2, 5),
        arrival=arrival,
        groups=groups_of(segments[1:-1]),
    )


# ------------------------------------------------------------------ MedCom's pairs
def recorded(shared: Path, name: str) -> bytes:
    return (shared / "data" / "medcom" / "examples" / "recorded" / name).read_bytes()


@pytest.mark.parametrize("name", ["REF01_1", *RECEIPTS])
def test_recorded_pairs_say_the_same(name: str, shared: Path) -> None:
    edifact, xml = (read(recorded(shared, f"{name}.{ending}")) for ending in ("edi", "xml"))
    assert msgspec.structs.replace(edifact.arrival, payload=xml.arrival.payload) == xml.arrival
    (one,), (twin,) = edifact.letters, xml.letters
    assert (one.letter_id, f"X{one.type}", f"X{one.version}") == (twin.letter_id, twin.type, twin.version)
    renamed = {"kind": twin.type} if name in RECEIPTS else {"message_type": twin.type, "version": twin.version}
    assert one.content is not None
    assert msgspec.structs.replace(one.content, **renamed) == twin.content


def test_the_recorded_referral_is_written_as_it_was(shared: Path) -> None:
    data = recorded(shared, "REF01_1.edi")
    (letter,) = read(data).letters
    assert isinstance(letter.content, Referral)
    written = message("Brv5678", ("REF01", "H0130R"), medref.encode(letter.content))
    assert tokens(written.encode("iso-8859-1"))[1:-1] == tokens(data)[2:-2]


def test_the_recorded_correspondence(shared: Path) -> None:
    lines = recorded(shared, "DIS91_1.edi").decode("iso-8859-1").replace("'", "").split("\n")[2:-2]
    found = meddis.decode(as_message([line for line in lines if line]))
    assert (found.letter_id, found.subject, found.episode_id) == ("BrevNr00129", "Forundersøgelse", None)
    assert found.text.count("\n") == 11


# ------------------------------------------------------------------ every field
FULL = {
    "sender": [
        "S01+01", "NAD+PO+079741:YNR:SFU++Lægehuset:Afdeling:Enhed:::US", "ADR++US:Vej 1:Bydel+Ishøj+2635",
        "CON++43000001:TE", "SEQ++1", "SPR+ORG+90:SKS:SST+REF01:SKS:SST",
    ],
    "receiver": party("SSP", "5790009999997:EAN:9", "_"),
    "referrer": ["S01+01", "NAD+BV+079741:YNR:SFU++Læge:Mona Prøvelæge::::US", "SEQ++3",
                 *party("PRH", "12345:XYZ", "Kopi", "CON++43000002:TE")],
    "status": "M",
    "diagnoses": [
        "CIN+B+T90:ICP::Diabetes", "CIN+H+DE119:SKS::Type 2", "CIN+ZZ+1:SPL::Andet", "CIN+DI+x:USP::Uden kode",
        "CIN+A+:SKS::Kun tekst", "CIN+S+x::: ",
    ][:5],
    "reason": [ftx("DI", "Ønsker forløb")],
    "citizen": patient("", NAME, "RFF+XPI:120365ÆAB1", "CON+HO+43000003:TE", "CON+CE+:TE", "CON+WO+43000004:TE",
                       "CON+XX+43000005:TE", "EMP+1++:::Smed"),
    "relative": ["S10+10", "REL+PER+MO", "PNA+PAS+1111111111:::CPR:IM+++SU:Markørsen"],
    "texts": [
        "S12+12", ftx("IN", "kai@example.dk"), ftx("NC", "Anamnese \\", "fortsat"), ftx("CF", "Undersøgt"),
        ftx("MT", "Metformin"), ftx("AL", "Penicillin"), ftx("SUP", "Journal"),
        ftx("URL", "Side", "https://example.dk/\\", "side"), ftx("BIN", "Foto", "abc1", "IMG", "JPG", "17"),
        ftx("BIN", "Tekst", "abc2", "QQ", "PDF", "18"),
    ],
    "more": [
        "S18+18", "GIS+N", "PTY+PRI+AC", "PAS+HS", ftx("HV", "Modtaget"), ftx("ZZ", "Andet"),
        "S19+19", "STS++NR", "TDT+PHL++SI", ftx("COT", "Tolk"),
    ],
}  # fmt: skip


def test_every_field_is_kept() -> None:
    found = referral(**FULL)
    assert (found.message_type, found.version, found.letter_id, found.correction) == (
        "REF01", "H0130R", "BRV00000000001", True,
    )  # fmt: skip
    assert (found.episode_id, found.statistical_code, found.authorised.isoformat()) == (
        EPISODE, "XREF01", "2026-11-16T09:10:00+01:00",
    )  # fmt: skip
    sender = found.sender
    assert (sender.gln, sender.identifier, sender.identifier_code) == (SENDER_GLN, "079741", "ydernummer")
    assert (sender.organisation, sender.department, sender.unit) == ("Lægehuset", "Afdeling", "Enhed")
    assert msgspec.structs.astuple(sender.address) == ("Vej 1", "Bydel", "Ishøj", "2635")
    assert (sender.phone, sender.speciality) == ("43000001", "almen_medicin")
    assert (found.receiver.gln, found.receiver.identifier_code, found.receiver.organisation) == (
        OUR_GLN, "lokationsnummer", "_",
    )  # fmt: skip
    assert found.referrer is not None
    assert msgspec.structs.astuple(found.referrer) == ("Mona Prøvelæge", "Læge", "079741", "ydernummer")
    assert found.answer_cc is not None
    assert (found.answer_cc.gln, found.answer_cc.identifier_code, found.answer_cc.phone) == (None, "XYZ", "43000002")
    citizen = found.citizen
    assert (citizen.cpr, citizen.replacement_cpr, citizen.surname, citizen.given_name) == (
        None, "120365ÆAB1", NAME, "Kai",
    )  # fmt: skip
    assert (citizen.title, citizen.email) == ("Smed", "kai@example.dk")
    assert [(p.number, p.kind) for p in citizen.phones] == [
        ("43000003", "fastnet"), ("43000004", "arbejde"), ("43000005", "XX"),
    ]  # fmt: skip
    assert found.relative is not None
    assert msgspec.structs.astuple(found.relative) == ("mor", "1111111111", "Markørsen", None)


def test_every_diagnosis_is_kept() -> None:
    assert [
        (d.system, d.code, d.text, d.main, d.description_code, d.other_system) for d in referral(**FULL).diagnoses
    ] == [
        ("SKS", "DE119", "Type 2", True, None, None),
        ("ICPC-2", "T90", "Diabetes", False, "bidiagnose", None),
        (None, "1", "Andet", False, "ZZ", "SPL"),
        (None, None, "Uden kode", False, "uspec_diagnose", None),
        ("SKS", None, "Kun tekst", False, "aktionsdiagnose", None),
    ]


def test_every_text_and_circumstance_is_kept() -> None:
    found = referral(**FULL)
    assert [(t.place, t.text) for t in found.texts] == [
        ("Supplementary", "Tolk\n"),
        ("ClinicalReason", "Ønsker forløb\n"),
        ("Cave", "Penicillin\n"),
        ("Anamnesis", "Anamnese fortsat\n"),
        ("Examination", "Undersøgt\n"),
        ("ActualMedicine", "Metformin\n"),
    ]
    assert (found.priority, found.referral_status, found.transport) == ("akut", "indlaeggelse", "siddende")
    assert [(v.code, v.text) for v in found.visitations] == [("henvisning_modtaget", "Modtaget\n"), ("ZZ", "Andet\n")]
    assert found.attachments == (
        Attachment(description="Journal", sup=True),
        Attachment(description="Side", url="https://example.dk/side"),
        Attachment(
            description="Foto", object_id="abc1", object_code="billede", object_extension="jpeg", object_size=17
        ),
        Attachment(description="Tekst", object_id="abc2", object_code="QQ", object_extension="pdf", object_size=18),
    )


def test_little_is_enough() -> None:
    found = referral(
        version="H0131R", referrer=["S01+01", "NAD+BV+++Læge"], episode="_", diagnoses=(), texts=(), citizen=patient()
    )
    assert (found.version, found.episode_id, found.referrer, found.relative, found.answer_cc) == (
        "H0131R", None, None, None, None,
    )  # fmt: skip
    assert (found.diagnoses, found.texts, found.priority, found.transport) == ((), (), None, None)
    assert referral(referrer=(), episode=None).referrer is None


def test_a_referral_without_referrer_and_with_title_is_written_whole() -> None:
    titled = msgspec.structs.replace(referral().citizen, title="Smed")
    value = msgspec.structs.replace(carried(referral()), referrer=None, citizen=titled)
    tags = [one.tag for one in medref.encode(value)]
    assert (tags.count("S01"), tags.count("EMP")) == (2, 1)


def test_a_time_with_seconds() -> None:
    assert referral(authorised="137:20261116091059:204").authorised.second == 59


# ------------------------------------------------------------------ round trips
def plain(value: object) -> object:
    """The same in ISO-8859-1, and without a line that would be read as an empty one."""
    if isinstance(value, str):
        kept = "".join(char for char in value if char < "\u0100").strip()
        return "\n".join(line.strip() if line.strip() not in {"", "."} else "x" for line in kept.split("\n"))
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def named(party: Party) -> Party:
    """A party as NAD names it: there is always an organisation."""
    return msgspec.structs.replace(party, organisation=party.organisation or "_")


def carried(value: Referral) -> Referral:
    """A referral of an XML twin as EDIFACT can carry it."""
    fitted = msgspec.convert(plain(msgspec.to_builtins(value)), Referral)
    change = msgspec.structs.replace
    referrer = fitted.referrer
    if referrer is not None and (referrer.identifier is None or referrer.identifier_code is None):
        referrer = change(referrer, identifier=None, identifier_code=None)
    return change(
        fitted,
        message_type="REF01",
        version="H0130R",
        statistical_code="XREF01",
        authorised=value.authorised,
        referrer=referrer,
        receiver=named(change(fitted.receiver, speciality=None)),
        answer_cc=named(fitted.answer_cc) if fitted.answer_cc else None,
        texts=tuple(change(text, text=f"{text.text}\n") for text in fitted.texts),
        visitations=visited(fitted.visitations),
    )


def visited(visitations: tuple[Visitation, ...]) -> tuple[Visitation, ...]:
    """Neighbours of one code are one text in EDIFACT."""
    joined = "".join(f"{visitation.text}\n" for visitation in visitations)
    return (Visitation(code="visitering", text=joined),) if visitations else ()


def outgoing(letter_id: str, kind: tuple[str, str], content: str, sender: str, receiver: str) -> Outgoing:
    """A letter ready for its interchange."""
    return Outgoing(
        letter_id=letter_id,
        message_id=letter_id,
        kind=kind[0],
        version=kind[1],
        channel=Channel.MEDCOM,
        receiver=receiver,
        sender=sender,
        payload=Payload.EDIFACT,
        at=RECEIVED,
        content=content.encode(),
        wants_receipt=True,
    )


def read_again(value: Referral) -> object:
    content = message(value.letter_id, ("REF01", "H0130R"), medref.encode(value))
    letter = outgoing(value.letter_id, ("REF01", "H0130R"), content, value.sender.gln or "", value.receiver.gln or "")
    return read(wrap(letter, "KUV00000000001", RECEIVED)).letters[0].content


@settings(max_examples=thorough(1000, 60))
@given(fitting.XREF01_XH0130R)
def test_what_fits_is_read_as_it_was_written(value: Referral) -> None:
    fitted = carried(value)
    assert read_again(fitted) == fitted


def written(letter: StatusLetter) -> bytes:
    """A DIS91 as it is sent."""
    content = message("UDBREV00000001", ("DIS91", "D9134L"), meddis.encode(letter, "UDBREV00000001"))
    # the ends of an interchange come from one that was read: no control character gets so far
    ends = (gln if gln and gln.isprintable() else "x" for gln in (letter.sender.gln, letter.receiver.gln))
    return wrap(outgoing("UDBREV00000001", ("DIS91", "D9134L"), content, *ends), "KUV00000000001", RECEIVED)


@settings(max_examples=150)
@given(STATUS_LETTERS)
def test_status_letters_are_whole_and_in_order(letter: StatusLetter) -> None:
    assert edifact_violations(written(letter)) == []


@settings(max_examples=100)
@given(DISCHARGE_NOTES)
def test_discharge_notes_are_whole_and_in_order(note: DischargeNote) -> None:
    letter = meddis.as_status(note)
    assert note.text in letter.text
    assert edifact_violations(written(letter)) == []


def test_a_status_letter_is_read_as_it_was_written() -> None:
    letter = StatusLetter(
        subject="Spørgsmål",
        text="Første linje: 'tak'?\n\n" + "ord " * 200,
        sender=referral().receiver,
        receiver=referral(**FULL).sender,
        citizen=referral(**FULL).citizen,
        episode_id=EPISODE,
        at=RECEIVED,
    )
    lines = [line for line in written(letter).decode("iso-8859-1").split("'\n")[2:-2] if line]
    found = meddis.decode(as_message([*lines, "UNT+1+1"]))
    assert (found.subject, found.text) == (letter.subject, f"{letter.text}\n")
    assert (found.episode_id, found.at, found.correction) == (EPISODE, RECEIVED, False)
    assert (found.citizen.replacement_cpr, found.citizen.surname) == ("120365ÆAB1", NAME)
    assert found.citizen.address == Address()
    assert found.receiver == msgspec.structs.replace(letter.receiver, gln=OUR_GLN, phone=None, speciality=None)


def test_a_text_beyond_what_fits_says_so() -> None:
    text = "\n".join(f"linje {n}" for n in range(1000))
    letter = StatusLetter(
        subject="",
        text=text,
        sender=referral().receiver,
        receiver=referral().sender,
        citizen=referral().citizen,
        episode_id=None,
        at=RECEIVED,
    )
    data = written(letter)
    assert edifact_violations(data) == []
    assert CUT_SHORT.encode("iso-8859-1") in data
    assert data.count(b"S14+14") == 10
    assert b"RFF+AHI:1" in data
    assert b"FTX+OE" not in data


def test_the_discharge_note_in_words() -> None:
    note = DischargeNote(
        text="Gennemført.",
        sender=referral().receiver,
        speciality_name="Forebyggelse",
        receiver=referral().sender,
        copy_receiver=None,
        citizen=referral().citizen,
        episode_id=EPISODE,
        referral_id="BRV00000000001",
        referred_at=RECEIVED,
        received_at=RECEIVED,
        diagnoses=referral(**FULL).diagnoses[:1],
        category=None,
        ended_at=RECEIVED,
        signed_on=RECEIVED.date(),
        signed_by="Karen Prøvekonsulent",
        job_title="Sundhedskonsulent",
        at=RECEIVED,
    )
    assert meddis.as_status(note).text.split("\n\n") == [
        "Henvist 16.11.2026 (brev BRV00000000001), afsluttet 16.11.2026.",
        "Henvisningsdiagnoser: Type 2 (DE119)",
        "Gennemført.",
        "Karen Prøvekonsulent, Sundhedskonsulent, 16.11.2026",
    ]
    bare = msgspec.structs.replace(note, diagnoses=(), ended_at=None, job_title="")
    assert meddis.as_status(bare).text.split("\n\n") == [
        "Henvist 16.11.2026 (brev BRV00000000001).",
        "Gennemført.",
        "Karen Prøvekonsulent, 16.11.2026",
    ]


# ------------------------------------------------------------------ correspondence in
def test_correspondence_is_read() -> None:
    parts = [[ftx("NC", "Første"), ftx("NC", "anden", form="PF0")], [ftx("NC", "Tredje"), ftx("SUP", "Journal")]]
    found = meddis.decode(as_message(dis91(parts=parts, status="M")))
    assert (found.message_type, found.version, found.letter_id) == ("DIS91", "D9134L", "SVARBREV000001")
    assert (found.subject, found.text) == ("Svar på spørgsmål", "Første\nanden\n\nTredje\n")
    assert (found.sender_gln, found.receiver.gln, found.episode_id) == (SENDER_GLN, OUR_GLN, EPISODE)
    assert (found.correction, found.citizen.cpr) == (True, CPR)
    assert found.attachments == (Attachment(description="Journal", sup=True),)


def test_correspondence_without_number_and_subject() -> None:
    found = meddis.decode(as_message(dis91(episode=None, subject=None)))
    assert (found.episode_id, found.subject) == (None, "")


@pytest.mark.parametrize("changes", [{"status": "X"}, {"citizen": patient("")}])
def test_correspondence_with_a_fault(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableLetterError) as caught:
        meddis.decode(as_message(dis91(**changes)))
    assert caught.value.fault.id == "GW-120"


# ------------------------------------------------------------------ codes
def test_every_speciality_has_one_code() -> None:
    assert len(codes.specialities()) == len(codes.speciality_codes()) == 95
    assert (codes.specialities()["90"], codes.speciality_codes()["fysioterapi"]) == ("almen_medicin", "4551")


def test_specialities_are_those_of_the_reference(shared: Path) -> None:
    rows = (shared / "data" / "medcom" / "codes" / "medical_speciality.csv").read_text(encoding="utf-8").split("\n")
    told = {code: name for name, code, *_ in (row.split(",") for row in rows[1:] if row) if code}
    assert codes.specialities() == told
