"""The service as those see it who watch: health, readiness, metrics, and a page for people.

All of it is read-only, and asked for: nothing here runs while nobody looks.
"""
