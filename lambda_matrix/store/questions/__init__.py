"""Questions on their way to an answer: requests, what people change about them, and their word."""
