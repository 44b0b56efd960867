"""The remote agent: AG-UI 1.0, one WebSocket (or SSE stream) per run. Nothing of Matrix."""
