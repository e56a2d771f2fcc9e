"""Fixtures that every test may use."""

pytest_plugins = ["tests.support.databases", "tests.support.temporal", "tests.support.neighbours"]
