"""The bundled agent (`lambda-matrix agent`). Nothing but the command line imports it."""
