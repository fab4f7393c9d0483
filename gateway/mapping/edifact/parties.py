"""Who and what a letter is about: NAD, ADR, CON, SPR, PNA, FTX+BIN ⇄ the domain's values (facts §5.1, §6)."""

import re
from collections.abc import Iterable
from datetime import datetime

from gateway.errors import Fault
from gateway.mapping.edifact import codes
from gateway.mapping.edifact.message import Group, Message, UnreadableLetterError, missing, needed_in, text_in
from gateway.mapping.edifact.segments import Segment, segment, writable
from gateway.referral.model import Address, Attachment, Citizen, Party, Phone, Relative, episode_key
from gateway.referral.workdays import COPENHAGEN

_CODE, _PART, _NAME, _PHONE, _POSTCODE = 17, 35, 70, 25, 9
#: with the sign that it goes on, a component of 70
_URL_PIECE = 69
_CPR, _CPR_LENGTH = re.compile(r"[0-9]{10}"), 10
_SIZE = re.compile(r"[1-9][0-9]{0,14}")
_POINTERS = frozenset({"BIN", "SUP", "URL"})
#: what MedCom's senders write where a text is demanded and there is none (facts §9)
NOTHING = "_"


# ------------------------------------------------------------------ reading
def party_group(message: Message, qualifier: str) -> Group | None:
    """The S01 group whose NAD has that qualifier."""
    return next((group for group in message.all("S01") if group.first("NAD", qualifier)), None)


def read_party(group: Group | None, gln: str | None, what: str) -> Party:
    """An S01 group; the GLN of sender and receiver stands in the interchange."""
    if group is None:
        raise missing(what)
    nad = group.first("NAD")
    identifier = text_in(nad, 2, 1, _CODE)
    return Party(
        gln=gln,
        identifier=identifier,
        identifier_code=read_identifier_code(nad) if identifier else None,
        organisation=text_in(nad, 4, 1, _PART),
        department=text_in(nad, 4, 2, _PART),
        unit=text_in(nad, 4, 3, _PART),
        address=read_address(group),
        phone=text_in(group.first("CON"), 2, 1, _PHONE),
        speciality=_speciality(group.first("SPR")),
    )


def read_identifier_code(nad: Segment | None) -> str | None:
    """What kind of number a NAD holds."""
    return codes.word(codes.IDENTIFIER_CODES, text_in(nad, 2, 2, _CODE) or "")


def _speciality(spr: Segment | None) -> str | None:
    return codes.word(codes.specialities(), text_in(spr, 2, 1, _CODE) or "")


def read_address(group: Group) -> Address:
    """ADR."""
    adr = group.first("ADR")
    return Address(
        street=text_in(adr, 2, 2, _PART),
        suburb=text_in(adr, 2, 3, _PART),
        district=text_in(adr, 3, 1, _PART),
        postcode=text_in(adr, 4, 1, _POSTCODE),
    )


def read_citizen(message: Message) -> Citizen:
    """S07: exactly one of CPR (in PNA) and replacement CPR (in RFF)."""
    group = message.first("S07")
    pna = group.first("PNA")
    cpr, replacement = text_in(pna, 2, 1, _CPR_LENGTH), text_in(group.first("RFF"), 1, 2, _CPR_LENGTH)
    if (cpr is None) == (replacement is None):
        raise UnreadableLetterError(Fault(id="GW-120", detail="PNA+PAT: netop ét af CPR og erstatnings-CPR"))
    if cpr is not None and not _CPR.fullmatch(cpr):
        raise UnreadableLetterError(Fault(id="GW-120", detail="PNA+PAT: CPR er ikke ti cifre"))
    if replacement is not None and len(replacement) != _CPR_LENGTH:
        raise UnreadableLetterError(Fault(id="GW-120", detail="RFF: erstatnings-CPR er ikke ti tegn"))
    return Citizen(
        cpr=cpr,
        replacement_cpr=replacement,
        surname=needed_in(pna, (5, 2), _NAME, "PNA+PAT: efternavn"),
        given_name=text_in(pna, 6, 2, _NAME),
        title=text_in(group.first("EMP"), 3, 4, _PART),
        address=read_address(group),
        phones=tuple(phone for con in group.all("CON") if (phone := _phone(con)) is not None),
    )


def _phone(con: Segment) -> Phone | None:
    number = text_in(con, 2, 1, _PHONE)
    return Phone(number=number, kind=codes.word(codes.PHONES, con.part(1)) or "") if number else None


def read_correction(group: Group) -> bool:
    """GIS of S02: whether the letter corrects an earlier one."""
    gis = group.first("GIS")
    correction = codes.CORRECTIONS.get(gis.part(1) if gis else "")
    if correction is None:
        raise UnreadableLetterError(Fault(id="GW-120", detail="GIS: N eller M"))
    return correction


def read_episode(group: Group, qualifier: str) -> str | None:
    """The episode number as received; ``_`` is how a sender says that there is none (facts §2.6)."""
    episode_id = text_in(group.first("RFF", qualifier), 1, 2, _PART)
    return episode_id if episode_key(episode_id) else None


def read_relative(message: Message) -> Relative | None:
    """S10, where there is one."""
    group = next(message.all("S10"), None)
    if group is None:
        return None
    rel, pna = group.first("REL"), group.first("PNA")
    return Relative(
        relation=codes.word(codes.RELATIONS, needed_in(rel, (2, 1), _CODE, "REL")) or "",
        identifier=text_in(pna, 2, 1, _CPR_LENGTH),
        surname=needed_in(pna, (5, 2), _NAME, "PNA+PAS: efternavn"),
        given_name=text_in(pna, 6, 2, _NAME),
    )


def read_attachments(groups: Iterable[Group]) -> tuple[Attachment, ...]:
    """FTX+BIN, FTX+SUP and FTX+URL: description, then what is pointed to; a URL is never fetched."""
    return tuple(_attachment(ftx) for group in groups for ftx in group.all("FTX") if ftx.part(1) in _POINTERS)


def is_pointer(ftx: Segment) -> bool:
    """Whether an FTX points to something rather than saying something."""
    return ftx.part(1) in _POINTERS


def _attachment(ftx: Segment) -> Attachment:
    kind = ftx.part(1)
    description = text_in(ftx, 4) or ""
    if kind == "SUP":
        return Attachment(description=description, sup=True)
    if kind == "URL":
        return Attachment(description=description, url="".join(part.removesuffix("\\") for part in ftx.element(4)[1:]))
    return Attachment(
        description=description,
        object_id=text_in(ftx, 4, 2, _PART),
        object_code=codes.word(codes.OBJECT_CODES, ftx.part(4, 3)),
        object_extension=codes.EXTENSIONS.get(ftx.part(4, 4), ftx.part(4, 4).lower()),
        object_size=_size(ftx.part(4, 5)),
    )


def _size(text: str) -> int:
    """Bytes; the twin's schema demands a positive number."""
    if not _SIZE.fullmatch(text):
        raise UnreadableLetterError(Fault(id="GW-120", detail="FTX+BIN: størrelse"))
    return int(text)


# ------------------------------------------------------------------ writing
def write_party(qualifier: str, party: Party, place: int) -> list[Segment]:
    """An S01 group without speciality; ``place`` is its number in the letter."""
    kind, agency = qualifier_of(party.identifier_code)
    names = (cut(party.organisation, _PART) or NOTHING, cut(party.department, _PART), cut(party.unit, _PART))
    return [
        segment("S01", "01"),
        segment("NAD", qualifier, (cut(party.identifier, _CODE), kind, agency), "", (*names, "", "", "US")),
        *write_address(party.address),
        *([segment("CON", "", (cut(party.phone, _PHONE), "TE"))] if party.phone else []),
        segment("SEQ", "", str(place)),
    ]


def qualifier_of(identifier_code: str | None) -> tuple[str, str]:
    """Qualifier and agency of an identifier."""
    code = identifier_code or "lokationsnummer"
    return codes.QUALIFIERS.get(code, (code, ""))


def write_speciality(party: Party, letter_type: str) -> Segment:
    """SPR of a sender."""
    code = codes.speciality_codes().get(party.speciality or "", codes.UNCLASSIFIED)
    return segment("SPR", "ORG", (code, "SKS", "SST"), (letter_type, "SKS", "SST"))


def write_address(address: Address) -> list[Segment]:
    """ADR, where there is any part of an address."""
    street, suburb = cut(address.street, _PART), cut(address.suburb, _PART)
    district, postcode = cut(address.district, _PART), cut(address.postcode, _POSTCODE)
    written = street or suburb or district or postcode
    return [segment("ADR", "", ("US", street, suburb), district, postcode)] if written else []


def write_citizen(citizen: Citizen) -> list[Segment]:
    """S07 as the letters to a referrer carry it: identity only, no address (a hidden address never leaks)."""
    replacement = citizen.replacement_cpr
    return [
        segment("S07", "07"),
        _person("PAT", citizen.cpr, citizen.surname, citizen.given_name),
        *([segment("RFF", ("XPI", cut(replacement, _CPR_LENGTH)))] if replacement else []),
    ]


def _person(qualifier: str, number: str | None, surname: str, given_name: str | None) -> Segment:
    identifier = (cut(number, _CPR_LENGTH), "", "", "CPR", "IM") if number else ""
    given = ("FO", cut(given_name, _NAME)) if given_name else ""
    return segment("PNA", qualifier, identifier, "", "", ("SU", cut(surname, _NAME) or NOTHING), given)


def write_phones(citizen: Citizen) -> list[Segment]:
    """CON for each of the citizen's telephones."""
    return [segment("CON", codes.code(codes.PHONES, p.kind), (cut(p.number, _PHONE), "TE")) for p in citizen.phones]


def write_relative(relative: Relative) -> list[Segment]:
    """S10."""
    return [
        segment("S10", "10"),
        segment("REL", "PER", codes.code(codes.RELATIONS, relative.relation)),
        _person("PAS", relative.identifier, relative.surname, relative.given_name),
    ]


def write_attachment(attachment: Attachment) -> Segment:
    """FTX with the one pointer the attachment has; a URL is cut into components that go on."""
    description = cut(attachment.description, _NAME) or NOTHING
    if attachment.sup:
        return segment("FTX", "SUP", "P00", "", description)
    if attachment.url:
        pieces = [attachment.url[at : at + _URL_PIECE] for at in range(0, len(attachment.url), _URL_PIECE)]
        url = [*(f"{piece}\\" for piece in pieces[:-1]), pieces[-1]]
        return segment("FTX", "URL", "P00", "", (description, *url))
    kind = codes.code(codes.OBJECT_CODES, attachment.object_code or "")
    extension = attachment.object_extension or ""
    written = codes.code(codes.EXTENSIONS, extension)
    ending = written if written in codes.EXTENSIONS else extension.upper()
    parts = (cut(attachment.object_id, _PART), kind, ending, str(attachment.object_size))
    return segment("FTX", "BIN", "P00", "", (description, *parts))


def write_moment(qualifier: str, moment: datetime) -> Segment:
    """DTM to the minute, in Danish civil time."""
    return segment("DTM", (qualifier, f"{moment.astimezone(COPENHAGEN):%Y%m%d%H%M}", "203"))


def cut(text: str | None, limit: int) -> str:
    """At most so many characters of ISO-8859-1, without trailing blanks."""
    return writable(text or "")[:limit].rstrip()
