"""One fault in one field of a referral that uses every field: the refuse code, the place it stands at, and no content.

The receipt's place tells the sender what is refused: ``OriginalEmessage`` the whole envelope, ``OriginalLetter`` one
letter (facts §7.1). A fault of the envelope names its letters without codes.
"""

from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree

from gateway.mapping.encoding import wrap
from gateway.referral.inbox import Outcome
from tests.builders import RECEIVED, faults, handle, kinds
from tests.reference import check_with_medcom, own_violations

BASE = etree.parse(str(Path(__file__).parent / "medcom" / "xref15" / "maximal-XH1530R.xml")).getroot()
NAMESPACE = etree.QName(BASE).namespace
LETTER_ID, SECOND_ID = "GLDMAX00000000", "GLDMAX00000001"
#: whose text is nobody's business but the receiver's
PRIVATE = ("Patient", "Relative", "Referral", "RelevantClinicalInformation", "MunicipalityVisitation", "Referrer")
ENVELOPE, LETTER = "OriginalEmessage", "OriginalLetter"
GONE, TWICE, STRANGER, EMPTY = "(gone)", "(twice)", "(stranger)", ""
#: a text of four characters stands in a receipt by chance
SHORT = 4
CPR, LONG = "1203659901", "Prøvelund " * 20


class Row(NamedTuple):
    #: below Emessage
    field: str
    #: what stands there instead; GONE, TWICE, or STRANGER: an element that does not belong there
    written: str
    fault: str
    code: str
    place: str = LETTER


def envelope(field: str, written: str, fault: str = "GW-121", code: str = "syntaksfejl") -> Row:
    return Row(f"Envelope/{field}".rstrip("/"), written, fault, code, ENVELOPE)


def letter(field: str, written: str, fault: str = "GW-120", code: str = "syntaksfejl") -> Row:
    return Row(f"MunicipalityReferral/{field}".rstrip("/"), written, fault, code)


ROWS = [
    envelope("", GONE),
    envelope("", STRANGER),
    envelope("Sent", GONE),
    envelope("Sent", TWICE),
    envelope("Sent/Date", "16-11-2026"),
    envelope("Sent/Date", "2026-02-30"),
    envelope("Sent/Date", "2026-11-16Z"),
    envelope("Sent/Date", "12026-11-16", "GW-141", "ikke_specificeret"),
    envelope("Sent/Time", "09:15:00"),
    envelope("Sent/Time", "24:00"),
    envelope("Identifier", EMPTY),
    envelope("Identifier", "GLDKUV000000431"),
    envelope("AcknowledgementCode", "ja"),
    envelope("AcknowledgementCode", GONE),
    letter("", STRANGER),
    letter("Letter/Identifier", EMPTY),
    letter("Letter/Identifier", "GLDMAX000000001"),
    letter("Letter/VersionCode", "XH1529R", "GW-111", "problem_med_version"),
    letter("Letter/VersionCode", GONE),
    letter("Letter/StatisticalCode", "KOMFOREB9"),
    letter("Letter/Authorisation", GONE),
    letter("Letter/Authorisation/Date", "1965-13-12"),
    letter("Letter/Authorisation/Date", "0001-01-01", "GW-141", "ikke_specificeret"),
    letter("Letter/Authorisation/Time", "9:12"),
    letter("Letter/TypeCode", "XREF01"),
    letter("Letter/StatusCode", "annulleretbrev"),
    letter("Letter/EpisodeOfCareIdentifier", GONE),
    letter("Letter/EpisodeOfCareIdentifier", "8a7b6c5d-4e3f-4a1b-9c8d-7e6f5a4b3c2d"),
    letter("Sender/EANIdentifier", "5" * 36),
    letter("Sender/Identifier", "1" * 18),
    letter("Sender/IdentifierCode", "cvr"),
    letter("Sender/OrganisationName", LONG),
    letter("Sender/DepartmentName", EMPTY),
    letter("Sender/PostCodeIdentifier", "2600 Prøvestad"),
    letter("Sender/TelephoneSubscriberIdentifier", "9" * 26),
    letter("Sender/MedicalSpecialityCode", "intern medicin"),
    letter("Sender/Referrer", GONE),
    letter("Sender/Referrer/PersonName", LONG),
    letter("Sender/Referrer/IdentifierCode", "cpr"),
    letter("Receiver", GONE),
    letter("Receiver", TWICE),
    letter("Receiver/EANIdentifier", "5790009992066", "GW-130", "ukendt_lokationsnummer"),
    letter("Receiver/Identifier", "461", "GW-131", "problem_med_modtagerID"),
    letter("Receiver/Identifier", EMPTY),
    letter("AnswerCCReceiver/IdentifierCode", "ean"),
    letter("Patient", GONE),
    letter("Patient", TWICE),
    letter("Patient", STRANGER),
    letter("Patient/CivilRegistrationNumber", "120365-9901"),
    letter("Patient/CivilRegistrationNumber", "12036599O1"),
    letter("Patient/CivilRegistrationNumber", "3102659901", "GW-140", "ikke_specificeret"),
    letter("Patient/CivilRegistrationNumber", "1203364901", "GW-140", "ikke_specificeret"),
    letter("Patient/CivilRegistrationNumber", TWICE),
    letter("Patient/PersonSurnameName", GONE),
    letter("Patient/PersonSurnameName", LONG),
    letter("Patient/PersonGivenName", EMPTY),
    letter("Patient/StreetName", LONG),
    letter("Patient/PostCodeIdentifier", "2635 Ishøj"),
    letter("Patient/TelephoneSubscriber/TelephoneSubscriberCode", "privat"),
    letter("Patient/EmailIdentifier", f"{LONG}@prove.example"),
    letter("Relative/RelationCode", "barn"),
    letter("Relative/PersonIdentifier", "12036599011"),
    letter("Referral/Refer/DiagnoseCode", "D" * 18),
    letter("Referral/Refer/DiagnoseTypeCode", "SKS"),
    letter("Referral/Refer/DiagnoseText", GONE),
    letter("Referral/Refer/DiagnoseText", LONG),
    letter("Referral/ReferralAdditional", TWICE),
    letter("Referral/ReferralAdditional/DiagnoseDescriptionCode", "grundmorbus"),
    letter("RelevantClinicalInformation/Anamnesis", STRANGER),
    letter("RelevantClinicalInformation/Anamnesis/Break", "tekst i et linjeskift"),
    letter("Reference/RefDescription", GONE),
    letter("Reference/URL", "h" * 351),
    letter("Reference/BIN/ObjectExtensionCode", "docx"),
    letter("Reference/BIN/OriginalObjectSize", "0"),
    letter("Reference/BIN/OriginalObjectSize", "9" * 16, "GW-141", "ikke_specificeret"),
    letter("MunicipalityVisitation/InformationCode", "visiteret"),
    letter("MunicipalityVisitation/Information", GONE),
]
every_row = pytest.mark.parametrize("row", ROWS, ids=[f"{row.field} {row.written[:20]}" for row in ROWS])


def broken(row: Row) -> etree._Element:
    """The message with this fault, and behind its letter a second one that is as it should be."""
    root = deepcopy(BASE)
    good = deepcopy(root[1])
    node = root.find("/".join(f"{{{NAMESPACE}}}{name}" for name in row.field.split("/")))
    assert node is not None, row.field
    parent = node.getparent()
    assert parent is not None
    if row.written == GONE:
        parent.remove(node)
    elif row.written == TWICE:
        node.addnext(deepcopy(node))
    elif row.written == STRANGER:
        etree.SubElement(node, f"{{{NAMESPACE}}}Helbred").text = f"{CPR} Prøvelund"
    else:
        node.text = row.written
    _renamed(good)
    root.append(good)
    return root


def _renamed(good: etree._Element) -> None:
    """A letter of its own, without the copy receiver whose GLN nobody told us."""
    for copy in good.findall(f"{{{NAMESPACE}}}AnswerCCReceiver"):
        good.remove(copy)
    for name, value in (("Identifier", SECOND_ID), ("StatusCode", "nytbrev")):
        found = good.find(f"{{{NAMESPACE}}}Letter/{{{NAMESPACE}}}{name}")
        assert found is not None
        found.text = value


def secrets(row: Row) -> set[str]:
    """What the letter says of people, and what stands in the faulty field; words of the standard's lists are public."""
    nodes = (node for name in PRIVATE for part in BASE.iter(f"{{{NAMESPACE}}}{name}") for node in part.iter())
    said = {text for node in nodes if not _is_listed(node) for text in (node.text, node.tail) if text}
    written = {row.written} if "/Patient" in row.field or "Referrer/" in row.field else set()
    return {text.strip() for text in said | written - {GONE, TWICE, STRANGER} if len(text.strip()) > SHORT}


def _is_listed(node: etree._Element) -> bool:
    name = etree.QName(node).localname
    return name.endswith("Code") and name != "DiagnoseCode"


def outcome_of(row: Row) -> Outcome:
    return handle(etree.tostring(broken(row), encoding="UTF-8", xml_declaration=True))


def negative(outcome: Outcome) -> etree._Element:
    (letter,) = [x for x in outcome.outgoing if x.kind == "XCTL02"]
    return etree.fromstring(letter.content)


def test_enough_fields() -> None:
    assert len(ROWS) == len(set(ROWS)) >= 40
    assert len({row.field for row in ROWS}) >= 40
    assert {row.code for row in ROWS} >= {"syntaksfejl", "problem_med_version", "ukendt_lokationsnummer"}


@every_row
def test_the_code_and_its_place(row: Row) -> None:
    outcome = outcome_of(row)
    receipt = negative(outcome)
    (code,) = receipt.iter("RefuseCode")
    parent = code.getparent()
    assert parent is not None
    assert (faults(outcome), code.text, parent.tag) == ([row.fault], row.code, row.place)
    named = [node.text for node in receipt.iter("OriginalLetterIdentifier")]
    if row.place == ENVELOPE:
        assert kinds(outcome) == ["XCTL02"]
        assert named == [LETTER_ID, SECOND_ID]
        assert outcome.cases == ()
    else:
        unnamed = row.field.endswith("Letter/Identifier")
        assert named == ["ukendt" if unnamed else LETTER_ID]
        assert kinds(outcome)[:2] == ["XCTL02", "XCTL03"], "the other letter of the envelope is taken in"
        assert len(outcome.cases) == 1


@every_row
def test_no_content_in_receipt_and_parked_reason(row: Row) -> None:
    outcome = outcome_of(row)
    receipts = [wrap(x, "SVARKUVERT0001", RECEIVED) for x in outcome.outgoing if x.kind.startswith("XCTL")]
    told = "".join(etree.fromstring(receipt).xpath("string()") for receipt in receipts)
    told += "".join(item.fault.text for item in outcome.parked)
    assert {secret for secret in secrets(row) if secret in told} == set()
    assert CPR not in told
    assert "Prøvelund" not in told


@every_row
def test_the_receipts_are_valid(row: Row) -> None:
    for letter in outcome_of(row).outgoing:
        if letter.kind.startswith("XCTL"):
            assert own_violations(wrap(letter, "SVARKUVERT0001", RECEIVED)) == []


def test_medcom_finds_the_receipts_valid(shared: Path, tmp_path: Path) -> None:
    letters = [letter for row in ROWS for letter in outcome_of(row).outgoing if letter.kind.startswith("XCTL")]
    check_with_medcom(shared, tmp_path, [wrap(letter, "SVARKUVERT0001", RECEIVED) for letter in letters])
