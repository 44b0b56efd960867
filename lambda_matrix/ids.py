"""Names of things. Each is its own type, so that mypy tells a room from an event from a person.

The first group is Matrix's, the second the core's own: `conversation/` speaks only the second and
never learns that a `PersonId` happens to be a user id.
"""

from typing import NewType

# -- Matrix (opaque: a room id of room version 12 has no server part) --
UserId = NewType("UserId", str)
RoomId = NewType("RoomId", str)
EventId = NewType("EventId", str)
DeviceId = NewType("DeviceId", str)
FilterId = NewType("FilterId", str)
SyncToken = NewType("SyncToken", str)
"""`next_batch`, `since`, `prev_batch`, `from`, `to`: one kind of token (client-server API, 6.)."""
TransactionId = NewType("TransactionId", str)
"""Random, chosen once, committed before the first PUT, reused only with the identical body."""
AccessToken = NewType("AccessToken", str)

# -- the core's own --
PersonId = NewType("PersonId", str)
AgentId = NewType("AgentId", str)
PlatformChatId = NewType("PlatformChatId", int)
"""Names a context upstream; as a decimal string it is AG-UI's `threadId`. Never reused."""
RequestId = NewType("RequestId", str)
"""One user message and the runs that answer it; the same for all attempts."""
RunId = NewType("RunId", str)
"""AG-UI's `runId`: `<request id>.<attempt>`, new for each attempt."""
InstanceId = NewType("InstanceId", str)
"""One start of the service: `<start in ms since the epoch>-<random>`, so that newer sorts later."""
