"""The ways of cutting a text, one module each, and what they share: headings, blocks, sentences. Pure."""
