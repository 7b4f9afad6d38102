"""The built-in extractive model: grounded entries from the text itself, by rules. Pure code, precision before yield."""
