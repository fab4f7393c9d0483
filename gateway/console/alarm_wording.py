"""What the alarms are called, in Danish; shared by page and command."""

from collections.abc import Mapping

#: by ``gateway.referral.clocks.ClockKind``
ALARM_KINDS: Mapping[str, str] = {
    "first_talk": "første samtale ikke holdt",
    "decision": "vurdering mangler",
    "urgent": "haster: vurdering mangler",
    "drafted_return": "svar venter på godkendelse",
    "follow_up": "telefonisk opfølgning mangler",
    "receipt": "brev uden kvittering",
    "attachment": "bilag er ikke kommet",
}
#: by ``gateway.store.alarms.LEVELS``
ALARM_LEVELS: Mapping[str, str] = {"warning": "påmindelse", "alarm": "alarm", "overdue": "fristen er overskredet"}
