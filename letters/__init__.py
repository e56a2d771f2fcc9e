"""What people are sent: the texts, and the way to the mail server."""
