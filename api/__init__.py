"""The HTTP shim: thin, strict, and never the one who decides about money."""
