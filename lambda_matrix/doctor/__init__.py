"""`lambda-matrix doctor`: what is well here, what is not, and what to do about it.

Theory. A check looks at one thing and makes findings of it. What is looked at (the network, files,
processes) and what is made of it (the verdict) are apart: the verdicts are pure and stand beside
what they judge. Nothing is changed anywhere, so that it may be asked while the service runs, or
before it ever ran; no check may take longer than `examination.TIME_LIMIT`, and one that fails in a
way that nobody thought of is a finding like any other.
"""
