"""Tests. A package by name, because some installed packages bring a `tests` of their own."""
