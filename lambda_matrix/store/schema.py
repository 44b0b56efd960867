"""The tables, made and changed by migrations only.

A migration that has been released is never edited; a change is a new one at the end. What the
tables are for stands beside each; what may be done to them stands in the modules of operations.
"""

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("lambda_matrix")

FOUNDATION = """
-- Single facts: the sync token, the number of the last batch, the filter, who we are.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row for each start of the service: echoes of these instances are our own.
CREATE TABLE instances (
    instance_id TEXT PRIMARY KEY
) WITHOUT ROWID;

-- What the homeserver says of each room (membership ... member_count) and what it is to us.
CREATE TABLE rooms (
    room_id          TEXT PRIMARY KEY,
    membership       TEXT NOT NULL,               -- invite, join, leave
    inviter          TEXT,
    is_direct        INTEGER NOT NULL DEFAULT 0,
    creator          TEXT,
    created_at       INTEGER,                     -- milliseconds, as the creator's server says
    room_type        TEXT,
    predecessor      TEXT,                        -- the room that this one goes on from
    intent           TEXT,                        -- of the marker in m.room.create
    marker_kind      TEXT,                        -- likewise: space, chat
    marker_owner     TEXT,
    name             TEXT,
    encrypted        INTEGER NOT NULL DEFAULT 0,
    member_count     INTEGER,
    version          TEXT,                        -- room version
    replaced_by      TEXT,                        -- of the tombstone; NULL: this room is current
    upgrader         TEXT,                        -- who set the tombstone
    kind             TEXT NOT NULL DEFAULT 'unregistered',  -- space, chat, direct, moved, ...
    owner            TEXT,
    agent            TEXT,
    platform_chat_id INTEGER UNIQUE,              -- the context of what is said here now
    archived         INTEGER NOT NULL DEFAULT 0,
    noted            INTEGER NOT NULL DEFAULT 1,  -- its binding on the homeserver says the same
    own_threads      INTEGER NOT NULL DEFAULT 0,  -- each thread has a context of its own
    untitled         INTEGER NOT NULL DEFAULT 0,  -- to be named after its first question
    ended            INTEGER NOT NULL DEFAULT 0,  -- deleted: to be left once all is said
    told             TEXT NOT NULL DEFAULT ''     -- the things said once here, separated by spaces
) WITHOUT ROWID;
CREATE INDEX rooms_by_owner ON rooms (owner, kind);
CREATE INDEX rooms_by_intent ON rooms (intent) WHERE intent IS NOT NULL;
CREATE INDEX rooms_by_successor ON rooms (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX rooms_untitled ON rooms (room_id) WHERE untitled = 1;
CREATE INDEX rooms_unnoted ON rooms (room_id) WHERE noted = 0;

-- What stands in Spaces, as the homeserver says; without `via` it was taken out again.
CREATE TABLE space_children (
    space_id TEXT NOT NULL,
    room_id  TEXT NOT NULL,
    has_via  INTEGER NOT NULL,
    sender   TEXT NOT NULL,                       -- who put it in or took it out
    PRIMARY KEY (space_id, room_id)
) WITHOUT ROWID;

-- What the bot's account data says on the homeserver, whatever became of it here.
CREATE TABLE kept_bindings (
    room_id TEXT PRIMARY KEY,
    binding TEXT                                  -- JSON; NULL: taken away again
) WITHOUT ROWID;
CREATE TABLE kept_settings (
    user_id     TEXT PRIMARY KEY,
    language    TEXT,
    streaming   INTEGER NOT NULL,
    reply_style TEXT NOT NULL,
    tool_lines  INTEGER NOT NULL,
    agent       TEXT
) WITHOUT ROWID;
CREATE TABLE kept_saved (
    user_id TEXT PRIMARY KEY,
    saved   TEXT NOT NULL                         -- JSON: all of it
) WITHOUT ROWID;

-- What each person chose; NULL: the default of the operator's settings.
CREATE TABLE users (
    user_id     TEXT PRIMARY KEY,
    language    TEXT,
    streaming   INTEGER NOT NULL,
    reply_style TEXT NOT NULL,                    -- formatted, plain
    tool_lines  INTEGER NOT NULL,
    agent       TEXT                              -- of their next rooms
) WITHOUT ROWID;

-- What an agent remembers by one number: rooms.platform_chat_id, or one thread's of a room. A row
-- stays when its room goes on with another one.
CREATE TABLE contexts (
    platform_chat_id INTEGER PRIMARY KEY,
    room_id          TEXT NOT NULL,
    thread_root      TEXT,                        -- the thread whose own it is
    agent            TEXT NOT NULL,
    since_event      TEXT,                        -- nothing from before it goes to an agent
    loaded           TEXT,                        -- JSON: the stretches that it began with
    begun_at         REAL NOT NULL,               -- seconds since the epoch
    is_whole         INTEGER NOT NULL DEFAULT 1,  -- `messages` has all of it, or its newest
    message_count    INTEGER NOT NULL DEFAULT 0,
    input_tokens     INTEGER NOT NULL DEFAULT 0,
    output_tokens    INTEGER NOT NULL DEFAULT 0,
    state            TEXT,                        -- JSON: the agent's, for its next run
    interrupts       TEXT                         -- JSON: what its last run waits to be told
);
CREATE INDEX contexts_by_room ON contexts (room_id);

-- The conversation of each context, as agents are told it: a cache of the rooms' history, but for
-- calls of tools.
CREATE TABLE messages (
    position         INTEGER PRIMARY KEY,
    platform_chat_id INTEGER NOT NULL,
    message_id       TEXT NOT NULL,
    question         TEXT,                        -- the event that it is, or answers
    is_loaded        INTEGER NOT NULL DEFAULT 0,
    message          TEXT NOT NULL,               -- JSON
    UNIQUE (platform_chat_id, message_id)
);
CREATE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_question ON messages (question) WHERE question IS NOT NULL;

-- Stretches of a room's history that have a name. No copies: the homeserver is the archive.
CREATE TABLE saved_contexts (
    user_id   TEXT NOT NULL,
    name      TEXT NOT NULL,
    stretches TEXT NOT NULL,                      -- JSON, the oldest first
    agent     TEXT NOT NULL,
    messages  INTEGER NOT NULL,
    size      INTEGER NOT NULL,                   -- bytes of text
    saved_at  REAL NOT NULL,                      -- seconds since the epoch
    PRIMARY KEY (user_id, name)
) WITHOUT ROWID;

-- What a person is asked in a room, one thing at a time: interrupts of an agent's, or by us.
CREATE TABLE confirmations (
    user_id          TEXT NOT NULL,
    room_id          TEXT NOT NULL,
    kind             TEXT NOT NULL,               -- interrupts, delete
    platform_chat_id INTEGER,                     -- the context whose run waits
    request          TEXT,                        -- the request whose run asks
    expires_at       REAL NOT NULL,               -- seconds since the epoch
    PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;

-- A list that a person was shown in a room: their next bare number picks from it.
CREATE TABLE picks (
    user_id    TEXT NOT NULL,
    room_id    TEXT NOT NULL,
    command    TEXT NOT NULL,                     -- load, agent
    choices    TEXT NOT NULL,                     -- JSON: names, in the order shown
    expires_at REAL NOT NULL,
    PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;

-- Files of people: fetched into the workspace, staged, and taken along by a request.
CREATE TABLE attachments (
    position  INTEGER PRIMARY KEY,
    event_id  TEXT NOT NULL UNIQUE,
    room_id   TEXT NOT NULL,
    sender    TEXT NOT NULL,
    thread_root TEXT,
    name      TEXT NOT NULL,                      -- as its sender called it
    url       TEXT NOT NULL,                      -- mxc://
    agent     TEXT NOT NULL,
    platform_chat_id INTEGER NOT NULL,            -- the folder that it goes to
    state     TEXT NOT NULL DEFAULT 'wanted',     -- wanted, ready, refused, removed
    path      TEXT,                               -- in the agent's workspace
    kind      TEXT,                               -- image, audio, video, document
    mime_type TEXT,
    size      INTEGER,
    request   TEXT                                -- NULL: staged
);
CREATE INDEX attachments_to_do ON attachments (room_id, position)
    WHERE state IN ('wanted', 'removed');
CREATE INDEX attachments_staged ON attachments (room_id, sender) WHERE request IS NULL;
CREATE INDEX attachments_by_request ON attachments (request) WHERE request IS NOT NULL;

-- Files of agents on their way into rooms.
CREATE TABLE offered_files (
    position INTEGER PRIMARY KEY,
    room_id  TEXT NOT NULL,
    request  TEXT NOT NULL,
    agent    TEXT NOT NULL,
    platform_chat_id INTEGER NOT NULL,
    path     TEXT NOT NULL,
    caption  TEXT,
    done     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX offered_files_open ON offered_files (room_id, position) WHERE done = 0;
CREATE INDEX offered_files_by_request ON offered_files (request);

-- Every event that may want a reaction, once. (batch, place) is its place in the room's order:
-- events that fill the gap before a batch get places below zero.
CREATE TABLE inbox (
    event_id TEXT PRIMARY KEY,
    room_id  TEXT NOT NULL,
    batch    INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    fact     TEXT,                                -- JSON; NULL once settled
    settled_at REAL,                              -- seconds since the epoch
    failures INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX inbox_unsettled ON inbox (room_id, batch, place) WHERE settled_at IS NULL;

-- Events that could not be read, as they came.
CREATE TABLE malformed (
    id       INTEGER PRIMARY KEY,
    room_id  TEXT NOT NULL,
    event_id TEXT,
    why      TEXT NOT NULL,
    raw      TEXT NOT NULL
);

-- Stretches of a room's timeline that a limited sync left out; the room waits until they are read.
CREATE TABLE gaps (
    room_id    TEXT NOT NULL,
    batch      INTEGER NOT NULL,
    from_token TEXT NOT NULL,
    to_token   TEXT,
    PRIMARY KEY (room_id, batch)
) WITHOUT ROWID;

-- One user message and the runs that answer it.
CREATE TABLE requests (
    request_id       TEXT PRIMARY KEY,
    question         TEXT NOT NULL UNIQUE,
    room_id          TEXT NOT NULL,
    batch            INTEGER NOT NULL,
    place            INTEGER NOT NULL,
    asker            TEXT NOT NULL,
    text             TEXT NOT NULL,
    agent            TEXT NOT NULL,
    platform_chat_id INTEGER NOT NULL,
    thread_root      TEXT,                        -- the thread that it was asked in
    in_reply_to      TEXT,                        -- the event whose text goes along
    origin           TEXT,                        -- the question that it goes on with, or repeats
    resume           TEXT,                        -- JSON: no question, but the word on interrupts
    as_reply         INTEGER NOT NULL DEFAULT 0,
    edited           INTEGER NOT NULL DEFAULT 0,  -- counts its edits: a run answers one of them
    attempts         INTEGER NOT NULL DEFAULT 0,
    runs             INTEGER NOT NULL DEFAULT 0,
    stopped          INTEGER NOT NULL DEFAULT 0,  -- its asker said !stop
    outcome          TEXT                         -- NULL: not answered yet
) WITHOUT ROWID;
CREATE INDEX requests_open ON requests (room_id, batch, place) WHERE outcome IS NULL;
CREATE INDEX requests_by_room ON requests (room_id, batch, place);
CREATE INDEX requests_by_origin ON requests (origin) WHERE origin IS NOT NULL;

-- Edits by which answers grew. They are no rows of the outbox, but go with a question taken back.
CREATE TABLE previews (
    event_id TEXT PRIMARY KEY,
    room_id  TEXT NOT NULL,
    question TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX previews_by_question ON previews (question);

-- Events of ours that are to be redacted: they answer questions that were taken back.
CREATE TABLE withdrawals (
    event_id TEXT PRIMARY KEY,
    room_id  TEXT NOT NULL
) WITHOUT ROWID;

-- Every event that we owe a room, in order. Sent again it is the same bytes under the same id.
CREATE TABLE outbox (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id TEXT NOT NULL UNIQUE,
    device_id      TEXT NOT NULL,
    created_at     REAL NOT NULL,                 -- seconds since the epoch
    room_id        TEXT NOT NULL,
    content        BLOB NOT NULL,                 -- without m.relates_to where `replaces` is set;
                                                  -- empty: sent by an earlier start, and forgotten
    replaces       INTEGER REFERENCES outbox,     -- the row whose event this one edits
    request        TEXT NOT NULL,
    question       TEXT,
    part           INTEGER NOT NULL,
    parts          INTEGER NOT NULL,
    answer_state   TEXT NOT NULL,                 -- open, final
    context        INTEGER,                       -- the one that the question was asked in
    asks           INTEGER NOT NULL DEFAULT 0,    -- it ends with a prompt of an agent's
    instance       TEXT NOT NULL,
    priority       INTEGER NOT NULL,              -- 0 final, 1 first message
    state          TEXT NOT NULL DEFAULT 'pending',  -- pending, sent, undeliverable
    parked         INTEGER NOT NULL DEFAULT 0,
    last_resort    INTEGER NOT NULL DEFAULT 0,    -- said in place of an event that was refused
    event_id       TEXT
);
CREATE INDEX outbox_pending ON outbox (room_id, seq) WHERE state = 'pending';
CREATE INDEX outbox_forgotten ON outbox (room_id) WHERE content = x'';
-- One of all rows would be taken by SQLite for what is pending, too, and all of it be read.
CREATE INDEX outbox_replies ON outbox (room_id) WHERE question IS NOT NULL;
CREATE INDEX outbox_by_request ON outbox (request, part);
CREATE INDEX outbox_by_question ON outbox (question) WHERE question IS NOT NULL;
CREATE INDEX outbox_by_replaced ON outbox (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX outbox_by_event ON outbox (event_id) WHERE event_id IS NOT NULL;

-- Rooms to be made: committed before createRoom, which has no transaction id.
CREATE TABLE intents (
    position         INTEGER PRIMARY KEY,
    intent_id        TEXT NOT NULL UNIQUE,
    kind             TEXT NOT NULL,               -- space, chat
    owner            TEXT NOT NULL,
    command          TEXT UNIQUE,                 -- the event id of the !new that wants it
    origin           TEXT,                        -- the room in which it was wanted
    name             TEXT,
    agent            TEXT,
    platform_chat_id INTEGER,
    tries            INTEGER NOT NULL DEFAULT 0,
    room_id          TEXT,
    done             INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX intents_open ON intents (origin) WHERE done = 0;
CREATE UNIQUE INDEX one_space_each ON intents (owner) WHERE kind = 'space';
"""


@migrations()
def m001_foundation(db: Database) -> None:
    """Make the tables of the first release."""
    _run(db, FOUNDATION)


@migrations()
def m002_undeliverable(db: Database) -> None:
    """Let what was refused for good be counted whenever somebody looks at the metrics."""
    _run(db, "CREATE INDEX outbox_undeliverable ON outbox (seq) WHERE state = 'undeliverable';\n")


def _run(db: Database, script: str) -> None:
    """Run the statements of `script`, each of which ends at a line's end, in the transaction.

    Database.executescript looks for the ends character by character: 130 ms for these tables.
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
