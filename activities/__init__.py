"""Activities: each does one thing to the world, and may be repeated."""
