"""Reading FHIR messages in tests."""

from gateway.receive import read
from gateway.referral.letters import FhirParty
from gateway.referral.model import Referral
from gateway.referral.reading import Reading
from tests.builders import OUR_GLN, SENDER_GLN
from tests.fhir_messages import (
    GLN,
    SKS,
    Json,
    as_json,
    coded,
    condition,
    identifier,
    organization,
    patient,
    request,
)

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


def bare(*contained: Json, **more: object) -> Json:
    """A ServiceRequest alone, with what it contains."""
    held = contained or (organization("org"), patient(id="pat"), condition(0, coded(SKS, "DE119")))
    held = tuple({**h, "subject": {"reference": "#pat"}} if "subject" in h else h for h in held)
    performer = [{"identifier": identifier(GLN, OUR_GLN), "display": "Ishøj Kommune"}]
    return request(
        contained=list(held),
        subject={"reference": "#pat"},
        **{
            "requester": {"reference": "#org"},
            "performer": performer,
            "reasonReference": [{"reference": "#condition-0"}],
            **more,
        },
    )


def reading(value: Json) -> Reading:
    return read(as_json(value))


def good(value: Json) -> Referral:
    """The referral of a message in which nothing is wrong."""
    found = reading(value)
    assert found.fault is None
    (letter,) = found.letters
    assert letter.fault is None, letter.fault
    assert isinstance(letter.content, Referral)
    assert (letter.type, letter.letter_id) == ("ServiceRequest", letter.content.letter_id)
    return letter.content


def refusal(value: Json) -> tuple[str, str]:
    found = reading(value)
    fault = found.fault or found.letters[0].fault
    assert fault is not None
    return fault.id, fault.detail.strip("()")
