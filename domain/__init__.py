"""The vocabulary of payments and the rules they obey; the standard library and nothing else."""
