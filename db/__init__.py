"""All SQL: tables, their migrations, and stores that write in one transaction each."""
