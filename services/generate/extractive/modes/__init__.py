"""The modes: each turns a page into entries of one output schema, fields in the order that the schema names."""
