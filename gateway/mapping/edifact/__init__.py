"""EDIFACT ⇄ values: MedCom's REF01, DIS91 and CTL01–03, the older twins of the XML letters. Pure."""
