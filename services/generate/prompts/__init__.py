"""What is sent to a model: one Markdown file per mode, their rendering, and reading a rendered prompt back."""
