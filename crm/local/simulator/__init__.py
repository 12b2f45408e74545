"""The phone simulator: a small carrier. A real SMPP server on one side, a page of handsets on the other."""
