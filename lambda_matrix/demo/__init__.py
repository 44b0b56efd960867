"""The whole thing at work on one machine (`lambda-matrix demo`, `make demo`)."""
