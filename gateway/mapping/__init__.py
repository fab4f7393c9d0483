"""Translation both ways: messages → referrals, referrals → FSIII §119 needs, answers → letters. Pure."""
