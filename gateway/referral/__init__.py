"""What a referral is, what we decide about it and what we answer: pure, knows no format and no transport."""
