"""Recorded and simulated traffic: the project's own messages, and teams that work the cases."""
