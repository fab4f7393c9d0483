"""Invented citizens and organisations: names, numbers whose check digits are right, addresses.

CPR numbers are of the range that test persons have: born 1937 to 1999, last four digits 9900 to 9999, the last one odd
for men. GLNs begin with 579000997, SOR ids have the namespace 1000016 of real ones; all are made up, and so are the
names. Nobody real can be meant, though nobody can promise that a number will never be used.
"""

from datetime import date, timedelta
from random import Random

import msgspec
from stdnum import ean, verhoeff

from gateway.municipality.model import Municipality
from gateway.referral.model import Address, Citizen, Party, Phone, Referrer
from gateway.referral.reply import our_party

_FIRST_BIRTHDAY, _BIRTHDAYS = date(1937, 1, 1), (date(1999, 12, 31) - date(1937, 1, 1)).days + 1
_TEST_NUMBERS = 100
#: how many have a telephone number in the letter
_PHONES = 0.8
#: how many name a receiver of a copy
_COPIES = 0.2
_WOMEN = (
    "Anne Mette", "Birthe", "Camilla", "Dorthe", "Else", "Fatma", "Gitte", "Hanne", "Inger", "Jytte", "Karen Marie",
    "Lone", "Mona", "Nadia", "Oda", "Pia", "Rikke", "Samira", "Tove", "Ulla", "Vibeke", "Yasmin", "Åse",
)  # fmt: skip
_MEN = (
    "Ali", "Bent", "Carsten", "Dan", "Erik", "Flemming", "Gert", "Hans Jørgen", "Ib", "Jens", "Karl Åge", "Lars",
    "Mehmet", "Niels", "Ole", "Peder", "Rasmus", "Søren", "Tariq", "Ulrik", "Viggo", "Yusuf", "Ømer",
)  # fmt: skip
_SURNAMES = (
    "Prøvesen", "Eksempelsen", "Testrup", "Fiktivsen", "Modelby", "Attrapsen", "Mønsterberg", "Skabelonsen",
    "Påfundsen", "Tænktgaard", "Øvelund", "Digtersen", "Opspindsen", "Ådalsprøve", "Demosen", "Forsøgslund",
)  # fmt: skip
_STREETS = ("Prøvevej", "Eksempelgade", "Modelstien", "Øvelsesparken", "Testager", "Skabelonvænget", "Tænktoften")
_OWN_DISTRICT = "Ishøj"


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that refers."""

    #: ``practice``, ``hospital``, ``unknown`` (a specialist), ``municipal`` or ``self`` (a portal where citizens write)
    kind: str
    party: Party
    #: the person; a portal has none
    referrer: Referrer | None
    sor: str


def gln(number: int) -> str:
    """An invented GLN with its check digit; ``number`` below 1000.

    >>> gln(1)
    '5790009970019'
    """
    digits = f"579000997{number:03}"
    return digits + ean.calc_check_digit(digits)


def sor(number: int) -> str:
    """An invented SOR id: item, namespace 1000016, partition 00, check digit (Verhoeff); ``number`` below 10 000.

    >>> sor(1)
    '900011000016006'
    """
    digits = f"{90_000 + number}100001600"
    return digits + verhoeff.calc_check_digit(digits)


def drawn_sender(kind: str, random: Random) -> Sender:
    """One of the invented organisations of that kind."""
    first, count = _NUMBERS[kind]
    return _SENDERS[kind](first + random.randrange(count))


def _practice(number: int) -> Sender:
    street = _STREETS[number % len(_STREETS)]
    name, title = f"{_doctor(number)}", "Læge"
    party = Party(
        gln=gln(number),
        identifier=f"{79_000 + number:06}",
        identifier_code="ydernummer",
        organisation=f"Lægerne {street}",
        address=Address(street=f"{street} {number}", district=_OWN_DISTRICT, postcode="2635"),
        phone=f"9999{number:04}",
        speciality="almen_medicin",
    )
    return Sender(kind="practice", party=party, referrer=Referrer(name=name, title=title), sor=sor(number))


def _hospital(number: int) -> Sender:
    party = Party(
        gln=gln(number),
        identifier=f"{9_990_000 + number}",
        identifier_code="sygehusafdelingsnummer",
        organisation="Prøvehospitalet",
        department=("Medicinsk afdeling", "Hjerteafdelingen", "Onkologisk afdeling", "Reumatologisk afd.")[number % 4],
        address=Address(street="Hospitalsprøven 1", district="Modelby", postcode="9999"),
        phone=f"9999{number:04}",
    )
    referrer = Referrer(name=_doctor(number), title="Overlæge")
    return Sender(kind="hospital", party=party, referrer=referrer, sor=sor(number))


def _specialist(number: int) -> Sender:
    party = Party(
        gln=gln(number), identifier=sor(number), identifier_code="sorkode", organisation="Speciallægerne Eksempel"
    )
    referrer = Referrer(name=_doctor(number), title="Speciallæge")
    return Sender(kind="unknown", party=party, referrer=referrer, sor=sor(number))


def _municipal(number: int) -> Sender:
    party = Party(
        gln=gln(number), identifier="183", identifier_code="kommunenummer", organisation="Hjemmeplejen Eksempel"
    )
    referrer = Referrer(name=_doctor(number), title="Sygeplejerske")
    return Sender(kind="municipal", party=party, referrer=referrer, sor=sor(number))


def _portal(number: int) -> Sender:
    party = Party(
        gln=gln(number), identifier=sor(number), identifier_code="sorkode", organisation="Borgerportal (fiktiv)"
    )
    return Sender(kind="self", party=party, referrer=None, sor=sor(number))


#: kind → first number and how many there are
_NUMBERS = {"practice": (1, 40), "hospital": (100, 8), "unknown": (200, 5), "municipal": (300, 2), "self": (400, 1)}
_SENDERS = {
    "practice": _practice,
    "hospital": _hospital,
    "unknown": _specialist,
    "municipal": _municipal,
    "self": _portal,
}


def _doctor(number: int) -> str:
    given = (_WOMEN, _MEN)[number % 2]
    return f"{given[number % len(given)]} {_SURNAMES[number % len(_SURNAMES)]}"


def receiver(municipality: Municipality) -> Party:
    """The municipality, as a referral addresses it: without address and telephone."""
    return msgspec.structs.replace(our_party(municipality), address=Address(), phone=None)


def drawn_copy(municipality: Municipality, random: Random) -> Party | None:
    """Who gets a copy of the answers, now and then: one whose address the municipality file knows, else nobody."""
    known = sorted(municipality.addresses)
    if not known or random.random() > _COPIES:
        return None
    return Party(identifier=random.choice(known), identifier_code="ydernummer", organisation="Lægerne Eksempel")


def drawn_citizen(municipality: Municipality, random: Random) -> Citizen:
    """A citizen of the municipality."""
    born = _FIRST_BIRTHDAY + timedelta(days=random.randrange(_BIRTHDAYS))
    number = random.randrange(_TEST_NUMBERS)
    given = random.choice((_WOMEN, _MEN)[number % 2])
    return Citizen(
        cpr=f"{born:%d%m%y}99{number:02}",
        surname=random.choice(_SURNAMES),
        given_name=given,
        address=Address(
            street=f"{random.choice(_STREETS)} {random.randint(1, 140)}",
            district=municipality.letterhead.district or _OWN_DISTRICT,
            postcode=random.choice(municipality.postcodes),
        ),
        municipality_code=municipality.code,
        phones=(Phone(number=f"9999{random.randrange(10_000):04}", kind="mobil"),) if random.random() < _PHONES else (),
    )
