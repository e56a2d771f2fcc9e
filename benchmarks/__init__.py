"""Measured promises: each program prints what it found, and fails where a bar is missed."""
