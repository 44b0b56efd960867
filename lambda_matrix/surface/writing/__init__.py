"""What is said, as Matrix events: Markdown to HTML, cut to size, marked with what it answers."""
