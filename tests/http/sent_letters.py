"""Letters of ours that have gone, and what a person reads and presses on the page about them."""

import re
from datetime import timedelta
from html import unescape
from itertools import count

from gateway.clocks import Ticker
from gateway.municipality.model import load
from gateway.referral.inbox import Settled
from gateway.store.accounts import Right
from gateway.store.outbox import Sent
from tests.builders import SENDER_GLN
from tests.http.conftest import Site
from tests.store.material import entry, outgoing

MINUTES = load().clocks.receipt_minutes
_NUMBERS = count(1)
METADATA = frozenset({Right.METADATA})


def send_all(site: Site) -> list[str]:
    """The relay's work: everything that is due goes."""
    letters = site.store.outbox.claim(site.clock(), site.clock() + timedelta(minutes=1), 500)
    sent = [Sent(letter_id=x.letter_id, envelope_id=f"KUV{next(_NUMBERS)}", at=site.clock()) for x in letters]
    site.store.outbox.mark_sent(sent)
    return [letter.letter_id for letter in letters]


def put(site: Site, *ids: str, **changes: object) -> None:
    """Letters of ours that were sent now."""
    letters = tuple(outgoing(i, **{"wants_receipt": True, "receiver": SENDER_GLN} | changes) for i in ids)
    site.store.inbox.save([entry(f"for {ids}", outgoing=letters)], site.clock())
    send_all(site)


def answer(site: Site, letter_id: str, verdict: str = "delivered", why: str = "XCTL03") -> None:
    settled = Settled(letter_id=letter_id, verdict=verdict, why=why)
    site.store.inbox.save([entry(f"{letter_id} {verdict} {site.clock()}", settled=(settled,))], site.clock())


def look(site: Site) -> None:
    """The clocks are looked at."""
    Ticker(site.store, site.clock, load().clocks).step()


def listed(site: Site, query: str = "") -> list[str]:
    """The letters of a page, from the top."""
    return re.findall(r'<th scope="row"><a href="/receipts/([^"]+)"', site.page(f"/receipts{query}").text)


def main_of(site: Site, path: str) -> str:
    """What stands in a page, without its frame."""
    shown: str = unescape(site.page(path).text)
    return shown.partition("<main")[2].partition("</main")[0]


def count_of(site: Site, query: str = "") -> str:
    return re.findall(r'role="status">(\d+ breve?)', site.page(f"/receipts{query}").text)[0]


def tile(site: Site) -> str:
    return re.findall(r'<dt>Breve uden kvittering</dt><dd><a href="([^"]+)">(\d+)</a>', site.page("/").text)[0]


def posted(site: Site, letter_id: str, **given: str) -> dict[str, str]:
    """The fields of the letter's own form."""
    shown = site.page(f"/receipts/{letter_id}").text
    fields = {name: re.findall(rf'name="{name}" value="([^"]+)"', shown)[-1] for name in ("csrf", "key", "seen")}
    return fields | given


def press(site: Site, letter_id: str, form: dict[str, str]) -> str:
    """The answer to a click on «Send igen», as text."""
    answered = site.client.post(f"/receipts/{letter_id}/resend", data=form, headers={"accept": "text/html"})
    assert answered.status_code == 200
    return unescape(answered.text)


def waiting_to_go(site: Site) -> list[str]:
    return [x.letter_id for x in site.store.outbox.claim(site.clock(), site.clock() + timedelta(minutes=1), 500)]
