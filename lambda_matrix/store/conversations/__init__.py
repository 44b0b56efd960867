"""What was said so far: contexts, what follows one, and stretches under names."""
