"""Pure decisions: what a message means, what a command does, what is said. No I/O, no Matrix."""
