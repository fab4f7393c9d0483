"""What the rules cost on their own: one thread, no broker, no database; CPU microseconds per referral."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from gateway.bench.messages import referrals, text_of
from gateway.mapping.interpretation import interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import Municipality
from gateway.receive import read
from gateway.referral.decide import decide
from gateway.referral.inbox import Known
from gateway.referral.model import ClinicalText, Referral

_REFERRALS, _ROUNDS = 50, 5


def decision_costs(municipality: Municipality, received_at: datetime) -> dict[str, float]:
    """Classifying and deciding, by length of the text in characters."""
    return {str(length): _cost(municipality, received_at, length) for length in (600, 2500)}


def reading_cost() -> float:
    """Parsing, validating and decoding one XREF15 of the standard mix."""
    bodies = list(referrals(_REFERRALS, "in-process"))
    return _best(lambda: [read(body) for body in bodies])


def _cost(municipality: Municipality, received_at: datetime, length: int) -> float:
    given = [_with_text(body, length) for body in referrals(_REFERRALS, "in-process")]
    running = Known().running("")

    def work() -> None:
        for referral in given:
            found = needs(referral, interpretation(), municipality.offered)
            decide(referral, found, municipality, received_at, running)

    return _best(work)


def _with_text(body: bytes, length: int) -> Referral:
    content = read(body).letters[0].content
    assert isinstance(content, Referral)  # noqa: S101  (the benchmark's own messages are referrals)
    sentence = content.texts[0].text.partition(".")[0] + "."
    text = ClinicalText(place="Anamnesis", text=text_of(sentence, length))
    return msgspec.structs.replace(content, texts=(text,))


def _best(work: Callable[[], object]) -> float:
    """The best of some rounds, in CPU microseconds per referral: what is above it is other programs' doing."""
    costs = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        work()
        costs.append(time.process_time() - started)
    return round(min(costs) / _REFERRALS * 1e6, 1)
