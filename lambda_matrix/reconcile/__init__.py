"""What the homeserver says of the topology, and what is recorded of it here, made to agree.

The homeserver is the truth, the database a cache (ADR 0011). T1 keeps what is said; once per start,
before anything goes out, it is compared with what was made of it: `topology` reads both, `plan`
says what is to be repaired, and `apply` repairs it. A second time there is nothing to do.
"""
