"""The service that runs: `lambda-matrix run`.

`supervisor` opens all of it in its order, and holds the one nursery; `command` makes a process of
it. The session and what is put together by the settings (`session`, `assembling`) serve the
operator's commands too. `monitoring` is the service as those see it who watch.
"""
