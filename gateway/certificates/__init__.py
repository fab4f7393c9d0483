"""The certificates this installation works with: which there are, when each ends, and what is to be done."""
