"""What the doctor found, as text."""

from __future__ import annotations

from lambda_matrix.doctor.findings import Finding


def told(findings: tuple[Finding, ...]) -> str:
    """The findings as text: their kinds and their sentences."""
    return " | ".join(f"{type(each).__name__}: {each.what}" for each in findings)
