"""Letters to RabbitMQ: topic exchange ``medcom.out`` with key ``<type>.<receiver gln>``, exchange ``teams`` by team."""

from collections.abc import Sequence

from gateway.broker.publisher import Fate, Publication, Publisher
from gateway.broker.topology import Topology
from gateway.outbound.envelopes import Transmission
from gateway.outbound.sink import Result
from gateway.referral.letters import Channel


class AmqpSink:
    """Publishes persistent, mandatory, confirmed."""

    def __init__(self, publisher: Publisher, topology: Topology) -> None:
        self._publisher = publisher
        self._topology = topology

    def send(self, transmissions: Sequence[Transmission]) -> list[Result]:
        """Publish a batch with pipelined confirms."""
        fates = self._publisher.send([self._publication(t) for t in transmissions])
        return [_result(t, fate) for t, fate in zip(transmissions, fates, strict=True)]

    def close(self) -> None:
        """The publisher's link is stopped by whoever started it."""

    def _publication(self, transmission: Transmission) -> Publication:
        letter = transmission.letter
        to_team = letter.channel is Channel.TEAM
        return Publication(
            exchange=self._topology.teams_out if to_team else self._topology.medcom_out,
            key=letter.receiver if to_team else f"{letter.kind}.{letter.receiver}",
            body=transmission.data,
            message_id=transmission.envelope_id,
            content_type=transmission.content_type,
            type=letter.kind,
            correlation_id=letter.episode_id,
            at=transmission.at,
        )


def _result(transmission: Transmission, fate: Fate) -> Result:
    unanswered = fate is Fate.UNCONFIRMED
    return Result(
        transmission=transmission,
        sent=fate is Fate.CONFIRMED,
        unknown=fate is Fate.UNKNOWN or unanswered,
        unanswered=unanswered,
        why=fate.value,
    )
