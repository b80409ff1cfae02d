"""Scheduling: the sessions of confirmed pairs, from the first proposal to the last one held."""
