"""`python serve_app.py FILE` serves the `app` of a Python file, and prints the port."""

import importlib
import socket
import sys
from pathlib import Path

import uvicorn

if __name__ == "__main__":
    file = Path(sys.argv[1])
    sys.path.insert(0, str(file.parent))
    app = importlib.import_module(file.stem).app
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
        uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="warning")).run([listener])
