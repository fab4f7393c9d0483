"""What a message may hold at most, whatever its format: far beyond any real one, and read within a second (GW-104)."""

from gateway.errors import Fault

#: elements, and attributes, in XML; objects and lists in JSON
MOST_PARTS = 40_000
#: characters of free text in the referrals of one message
MOST_TEXT = 200_000
TOO_MANY_PARTS = Fault(id="GW-104", detail="(for mange elementer)")
