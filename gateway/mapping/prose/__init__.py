"""Danish clinical prose as evidence: words, passages, mentions with their scope, values. Tables hold the words."""
