"""Workflows: they decide, wait and remember; whatever touches the world is an activity."""
