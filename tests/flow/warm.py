"""Imported once by the server that the service's processes are forked from: what every start would load again."""

from gateway.clocks import system_now
from gateway.proof import proved_municipality
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.simulate.stories import recorded
from tests.flow import crash

for _data in recorded().values():
    receive(read(_data), Known(), proved_municipality(None), system_now())

__all__ = ["crash"]
