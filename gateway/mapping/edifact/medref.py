"""REF01 (MEDREF H0130R, H0131R): the EDIFACT twin of XREF01, the «dynamic» referral (facts §5.1).

The same referral as its XML twin's, apart from type and version, which are kept as received. Of H0131R no pair is
known: it is read as H0130R is, and a code that only H0131R has is kept as it stands.
"""

from collections.abc import Mapping

import msgspec

from gateway.mapping.edifact import codes
from gateway.mapping.edifact.message import Group, Message, moment_in, needed_in, text_in
from gateway.mapping.edifact.parties import (
    NOTHING,
    cut,
    party_group,
    qualifier_of,
    read_attachments,
    read_citizen,
    read_correction,
    read_episode,
    read_identifier_code,
    read_party,
    read_relative,
    write_address,
    write_attachment,
    write_citizen,
    write_moment,
    write_party,
    write_phones,
    write_relative,
    write_speciality,
)
from gateway.mapping.edifact.segments import Segment, segment
from gateway.mapping.edifact.texts import text_of, texts_by_qualifier, write_lines, write_text
from gateway.referral.model import (
    Citizen,
    ClinicalText,
    CodeSystem,
    Diagnosis,
    Party,
    Referral,
    Referrer,
    Visitation,
)

TYPE = "REF01"
_MAIN = "H"
_SYSTEMS = {"SKS": CodeSystem.SKS, "ICP": CodeSystem.ICPC2}
_UNSPECIFIED = frozenset({"USP", ""})
_CODE, _PART, _LONG = 17, 35, 70
#: the XML twin's elements in its order, each with its group and FTX qualifier
_TEXTS = (
    ("Supplementary", "S19", "COT"),
    ("ClinicalReason", "S02", "DI"),
    ("Cave", "S12", "AL"),
    ("Anamnesis", "S12", "NC"),
    ("Examination", "S12", "CF"),
    ("ActualMedicine", "S12", "MT"),
)
#: Cave is written last
_WRITTEN_ORDER = tuple(sorted(_TEXTS, key=lambda text: text[2] == "AL"))


# ------------------------------------------------------------------ reading
def decode(message: Message) -> Referral:
    """One MEDREF message → the referral, every field of the facts' table kept."""
    letter, wishes, arrival = message.first("S02"), message.first("S18"), message.arrival
    return Referral(
        message_type=TYPE,
        version=message.version,
        letter_id=message.letter_id,
        episode_id=read_episode(letter, "ROI"),
        correction=read_correction(letter),
        # as MedCom's converter writes it in the twin: EDIFACT has no statistical code of its own
        statistical_code=f"X{TYPE}",
        authorised=moment_in(message.first("").first("DTM"), "DTM+137"),
        sender=read_party(party_group(message, "PO"), arrival.sender_gln, "NAD+PO"),
        referrer=_referrer(party_group(message, "BV")),
        receiver=read_party(party_group(message, "SSP"), arrival.receiver_gln, "NAD+SSP"),
        answer_cc=_answer_cc(party_group(message, "PRH")),
        citizen=_with_email(read_citizen(message), message),
        relative=read_relative(message),
        diagnoses=_diagnoses(letter),
        texts=_texts(message),
        priority=_word(codes.PRIORITIES, wishes.first("PTY", "PRI"), 2),
        referral_status=_word(codes.REFERRAL_STATES, wishes.first("PAS"), 1),
        transport=_word(codes.TRANSPORTS, message.first("S19").first("TDT"), 3),
        attachments=read_attachments(message.all("S12")),
        visitations=_visitations(wishes),
    )


def _word(table: Mapping[str, str], segment: Segment | None, element: int) -> str | None:
    return codes.word(table, text_in(segment, element, 1, _CODE) or "")


def _referrer(group: Group | None) -> Referrer | None:
    """The person: title and name stand where a party has organisation and department."""
    nad = group.first("NAD") if group else None
    name = text_in(nad, 4, 2, _PART)
    if name is None:
        return None
    identifier = text_in(nad, 2, 1, _CODE)
    return Referrer(
        name=name,
        title=text_in(nad, 4, 1, _PART),
        identifier=identifier,
        identifier_code=read_identifier_code(nad) if identifier else None,
    )


def _answer_cc(group: Group | None) -> Party | None:
    return read_party(group, None, "NAD+PRH") if group else None


def _with_email(citizen: Citizen, message: Message) -> Citizen:
    """The e-mail address stands among the texts."""
    email = text_in(message.first("S12").first("FTX", "IN"), 4, 1, _LONG)
    return msgspec.structs.replace(citizen, email=email)


def _diagnoses(letter: Group) -> tuple[Diagnosis, ...]:
    """The main diagnosis first, as in the XML twin."""
    found = [_diagnosis(cin) for cin in letter.all("CIN")]
    return tuple(sorted(found, key=lambda diagnosis: not diagnosis.main))


def _diagnosis(cin: Segment) -> Diagnosis:
    main = cin.part(1) == _MAIN
    kind = cin.part(2, 2)
    return Diagnosis(
        system=_SYSTEMS.get(kind),
        code=None if kind in _UNSPECIFIED else text_in(cin, 2, 1, _CODE),
        text=needed_in(cin, (2, 4), _LONG, "CIN: tekst"),
        main=main,
        description_code=None if main else _word(codes.DIAGNOSIS_ROLES, cin, 1),
        other_system=None if kind in {*_SYSTEMS, *_UNSPECIFIED} else kind,
    )


def _texts(message: Message) -> tuple[ClinicalText, ...]:
    found = (
        (place, text_of([s for group in message.all(tag) for s in group.segments], qualifier))
        for place, tag, qualifier in _TEXTS
    )
    return tuple(ClinicalText(place=place, text=text) for place, text in found if text)


def _visitations(group: Group) -> tuple[Visitation, ...]:
    return tuple(
        Visitation(code=codes.word(codes.VISITATIONS, qualifier) or "", text=text)
        for qualifier, text in texts_by_qualifier(group.segments)
    )


# ------------------------------------------------------------------ writing
def encode(referral: Referral) -> tuple[Segment, ...]:
    """What stands between UNH and UNT, in the order of the pair REF01_1."""
    return (
        segment("BGM", "HNV", "", "9", "NA"),
        write_moment("137", referral.authorised),
        *write_party("PO", referral.sender, 1),
        *([write_speciality(referral.sender, TYPE)] if referral.sender.speciality else []),
        *write_party("SSP", referral.receiver, 2),
        *_write_referrer(referral.referrer),
        *(write_party("PRH", referral.answer_cc, 4) if referral.answer_cc else []),
        *_write_letter(referral),
        segment("S06", "06"),
        segment("STS", "", "NR"),
        *write_citizen(referral.citizen),
        *write_address(referral.citizen.address),
        *write_phones(referral.citizen),
        *_write_title(referral.citizen),
        *(write_relative(referral.relative) if referral.relative else []),
        *_write_clinical(referral),
        *_write_wishes(referral),
        *_write_transport(referral),
    )


def _write_referrer(referrer: Referrer | None) -> list[Segment]:
    if referrer is None:
        return []
    kind, agency = qualifier_of(referrer.identifier_code)
    number = (cut(referrer.identifier, _CODE), kind, agency) if referrer.identifier else ""
    names = (cut(referrer.title, _PART), cut(referrer.name, _PART), "", "", "", "US")
    return [
        segment("S01", "01"),
        segment("NAD", "BV", number, "", names),
        segment("RFF", ("AHL", "1")),
        segment("SEQ", "", "3"),
    ]


def _write_letter(referral: Referral) -> list[Segment]:
    return [
        segment("S02", "02"),
        segment("GIS", "M" if referral.correction else "N"),
        segment("RFF", ("ROI", cut(referral.episode_id, _PART) or NOTHING)),
        write_moment("4", referral.authorised),
        *(_write_diagnosis(diagnosis) for diagnosis in referral.diagnoses),
        *_write_place(referral, "S02"),
    ]


def _write_diagnosis(diagnosis: Diagnosis) -> Segment:
    role = _MAIN if diagnosis.main else _code(codes.DIAGNOSIS_ROLES, diagnosis.description_code) or "B"
    known = {system: code for code, system in _SYSTEMS.items()}
    kind = known[diagnosis.system] if diagnosis.system else diagnosis.other_system or "USP"
    return segment("CIN", role, (cut(diagnosis.code, _CODE), kind, "", cut(diagnosis.text, _LONG) or NOTHING))


def _write_place(referral: Referral, group: str) -> list[Segment]:
    """The FTX segments of the texts that stand in a group."""
    found: list[Segment] = []
    for place, tag, qualifier in _WRITTEN_ORDER:
        text = "\n".join(text.text for text in referral.texts if text.place == place)
        if text and tag == group:
            found += write_text(qualifier, write_lines(text))
    return found


def _write_title(citizen: Citizen) -> list[Segment]:
    return [segment("EMP", "1", "", ("", "", "", cut(citizen.title, _PART)))] if citizen.title else []


def _write_clinical(referral: Referral) -> list[Segment]:
    email = referral.citizen.email
    found = [
        *([segment("FTX", "IN", "P00", "", cut(email, _LONG))] if email else []),
        *_write_place(referral, "S12"),
        *(write_attachment(attachment) for attachment in referral.attachments),
    ]
    return [segment("S12", "12"), *found] if found else []


def _write_wishes(referral: Referral) -> list[Segment]:
    found = [
        *([segment("PTY", "PRI", _code(codes.PRIORITIES, referral.priority))] if referral.priority else []),
        *([segment("PAS", _code(codes.REFERRAL_STATES, referral.referral_status))] if referral.referral_status else []),
    ]
    for visitation in referral.visitations:
        found += write_text(_code(codes.VISITATIONS, visitation.code), write_lines(visitation.text))
    return [segment("S18", "18"), segment("GIS", "N"), *found] if found else []


def _write_transport(referral: Referral) -> list[Segment]:
    transport = _code(codes.TRANSPORTS, referral.transport)
    found = [*([segment("TDT", "PHL", "", transport)] if transport else []), *_write_place(referral, "S19")]
    return [segment("S19", "19"), segment("STS", "", "NR"), *found] if found else []


def _code(table: Mapping[str, str], word: str | None) -> str:
    return codes.code(table, word or "")
