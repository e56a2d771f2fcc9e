"""Guards taken out on purpose, and the tests that must notice."""
