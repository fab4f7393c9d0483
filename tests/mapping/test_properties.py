"""Whatever comes in: nothing is raised, nothing is lost, what leaves is valid, and twice is the same as once."""

import re
from base64 import b64encode
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.encoding import wrap
from gateway.municipality.model import load
from gateway.receive import Entrance, read, receive
from gateway.referral.answer import keys_of
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Carrier, Channel
from tests.builders import NAMESPACES, RECEIVED, SUNDCOM_2005, VANS_NAMESPACE, emessage, event, vans, vans_receipt, xctl
from tests.fhir_messages import BUNDLE_ID
from tests.reference import own_violations
from tests.sbdh_builders import PAYLOADS, SBDH, sbdh

MUNICIPALITY = load()
FOLDER = Path(__file__).parents[1] / "messages" / "medcom"
RECORDED = [path.read_bytes() for path in sorted(FOLDER.rglob("*.xml"))]
MEDCOM = [*RECORDED, xctl("XCTL02", "UDBREV00000001"), vans_receipt("NegativeMessage"), vans(xctl("XCTL03"))]
EVENTS = [event(kind) for kind in ("contacted", "talk_held", "course_started", "review_decided", "withdrawn")]
IN_SBDH = [
    sbdh(sent.payload(sent.message, BUNDLE_ID), mime=sent.mime, message_id=sent.message) for sent in PAYLOADS.values()
]
ENVELOPE_IDS = {
    Carrier.BARE: "NYKUVERT000001",
    Carrier.VANS: "9c8b7a69-5847-4362-8514-03f2e1d0c9b8",
    Carrier.SBDH: "9c8b7a69-5847-4362-8514-03f2e1d0c9b8",
}
NAMES = st.sampled_from(re.findall(r"\w+", """
    Emessage Envelope Sent Date Time Identifier AcknowledgementCode MunicipalityReferral Letter VersionCode Sender
    EANIdentifier Receiver Patient NegativeReceipt PositiveReceipt OriginalEmessage VANSEnvelope Message Receipt Data
    MetaInformation SenderID ReceiverID EnvelopeIdentifier SentDateTime Document Format SizeInBytes Local_Elements
    PositiveMessage NegativeVans Transport Type hest StandardBusinessDocumentHeader DocumentIdentification BinaryContent
    InstanceIdentifier CreationDateAndTime BusinessScope Scope
"""))  # fmt: skip
WORDS = st.sampled_from(
    [
        "",
        "1",
        "XH1530R",
        "5790009999997",
        "2026-11-16",
        "09:15",
        "pluspositivkvitt",
        "XML",
        "reliable",
        "a0*/B",
        "&#0;",
        "é",
    ]
) | st.text(max_size=5).map(lambda text: text.replace("<", "").replace("&", ""))
SPACES = st.sampled_from([*NAMESPACES.values(), SUNDCOM_2005, VANS_NAMESPACE, SBDH, "urn:x"])


def answered(data: bytes, entrance: Entrance = Entrance.MEDCOM) -> Outcome:
    """The outcome, after the promises that hold for every message."""
    reading = read(data, entrance, sbdh=True)
    assert reading == read(data, entrance, sbdh=True)
    keys = keys_of(reading)
    assert keys | keys == keys
    outcome = receive(reading, Known(), MUNICIPALITY, RECEIVED)
    assert outcome == receive(reading, Known(), MUNICIPALITY, RECEIVED)
    assert outcome.cases or outcome.parked or outcome.settled
    for letter in outcome.outgoing:
        if letter.channel is Channel.MEDCOM:
            assert own_violations(wrap(letter, ENVELOPE_IDS[letter.carrier], RECEIVED)) == []
    again = receive(reading, Known().fold(outcome), MUNICIPALITY, RECEIVED)
    if any(letter.may_come_again for letter in outcome.letters):
        assert (again.parked, again.outgoing) == (outcome.parked, outcome.outgoing)
        return outcome
    assert again.duplicate
    assert again.resend == outcome.message.receipts
    return outcome


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    assert answered(data).cases == ()
    assert answered(vans(data)).cases == ()
    assert answered(sbdh(data)).cases == ()
    assert answered(data, Entrance.TEAM).cases == ()


@settings(max_examples=150)
@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "iso-8859-1", "cp1252"]))
def test_arbitrary_text_in_a_letter(text: str, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    data = f"{declared}<Emessage>{text}</Emessage>".encode(encoding, errors="replace")
    assert answered(data).cases == ()


@st.composite
def mutations(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A recorded message, damaged in up to four places."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 2, 20, 200])))
        kind = draw(st.sampled_from(["cut", "double", "bytes", "word", "end"]))
        if kind == "cut":
            data = data[:start] + data[end:]
        elif kind == "double":
            data = data[:end] + data[start:]
        elif kind == "bytes":
            data = data[:start] + draw(st.binary(min_size=1, max_size=4)) + data[end:]
        elif kind == "word":
            data = data[:start] + draw(WORDS).encode("utf-8", errors="replace") + data[end:]
        else:
            data = data[:start]
    return data


@settings(max_examples=400)
@given(mutations(MEDCOM))
def test_damaged_messages(data: bytes) -> None:
    answered(data)


@settings(max_examples=200)
@given(mutations(IN_SBDH))
def test_damaged_messages_in_an_sbdh(data: bytes) -> None:
    answered(data)


@settings(max_examples=150)
@given(mutations(EVENTS))
def test_damaged_events(data: bytes) -> None:
    answered(data, Entrance.TEAM)


@settings(max_examples=150)
@given(mutations([emessage(), xctl("XCTL03", "UDBREV00000001")]))
def test_damaged_payloads(payload: bytes) -> None:
    answered(vans(payload))
    answered(sbdh(payload))


def trees() -> st.SearchStrategy[str]:
    leaf = st.builds(lambda name, text: f"<{name}>{text}</{name}>", NAMES, WORDS)
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", NAMES, st.lists(inner, max_size=5)
        ),
        max_leaves=25,
    )


@settings(max_examples=300)
@given(
    st.lists(trees(), max_size=4),
    SPACES,
    st.sampled_from(["Emessage", "VANSEnvelope", "StandardBusinessDocument", "hest"]),
)
def test_random_trees(parts: list[str], namespace: str, root: str) -> None:
    assert answered(f'<{root} xmlns="{namespace}">{"".join(parts)}</{root}>'.encode()).cases == ()


@settings(max_examples=100)
@given(st.text("AZaz09+/=*é \n", max_size=30))
def test_random_base64(text: str) -> None:
    sealed = vans(b"x").replace(b64encode(b"x"), text.encode())
    assert answered(sealed).cases == ()
