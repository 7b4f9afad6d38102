"""How things are said, kept and heard by every service. Imports contracts, and knows no service."""
