"""try_pex.py FILE.pex: what looks into pictures runs in the PEX, compiled parts and all."""

import base64
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")  # a GIF


def main() -> None:
    """Exit with a sentence if it finds out nothing about a picture."""
    pex = Path(sys.argv[1]).resolve()
    environment = {**os.environ, "PEX_MODULE": "lambda_matrix.workspace.imaging_process"}
    with tempfile.TemporaryFile() as file:
        file.write(_PIXEL)
        file.flush()
        told = subprocess.run(  # noqa: S603 - the program that was just built
            [pex, "image"], stdin=file, stdout=subprocess.PIPE, env=environment, check=True
        ).stdout
    if not told.startswith(struct.pack("!II", 1, 1)):
        sys.exit(f"The PEX cannot look into pictures: {told!r}")


if __name__ == "__main__":
    main()
