"""Matrix as a messenger: onboarding, rooms at work, answers, the outbox."""
