"""The tables, made and changed by migrations only.

A migration that has been released is never edited; a change is a new one at the end. What the
tables are for stands beside each; what may be done to them stands in the modules of operations.
"""

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
    intent           TEXT,                        -- of the marker in m.room.create
    name             TEXT,
    encrypted        INTEGER NOT NULL DEFAULT 0,
    member_count     INTEGER,
    kind             TEXT NOT NULL DEFAULT 'unregistered',  -- space, chat, direct, unregistered
    owner            TEXT,
    agent            TEXT,
    platform_chat_id INTEGER UNIQUE,
    told             TEXT NOT NULL DEFAULT ''     -- the things said once here, separated by spaces
) WITHOUT ROWID;
CREATE INDEX rooms_by_owner ON rooms (owner, kind);
CREATE INDEX rooms_by_intent ON rooms (intent) WHERE intent IS NOT NULL;

CREATE TABLE users (
    user_id  TEXT PRIMARY KEY,
    language TEXT                                 -- NULL: the default of the settings
) WITHOUT ROWID;

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
    as_reply         INTEGER NOT NULL DEFAULT 0,
    attempts         INTEGER NOT NULL DEFAULT 0,
    runs             INTEGER NOT NULL DEFAULT 0,
    stopped          INTEGER NOT NULL DEFAULT 0,  -- its asker said !stop
    outcome          TEXT                         -- NULL: not answered yet
) WITHOUT ROWID;
CREATE INDEX requests_open ON requests (room_id, batch, place) WHERE outcome IS NULL;

-- Every event that we owe a room, in order. Sent again it is the same bytes under the same id.
CREATE TABLE outbox (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id TEXT NOT NULL UNIQUE,
    device_id      TEXT NOT NULL,
    created_at     REAL NOT NULL,                 -- seconds since the epoch
    room_id        TEXT NOT NULL,
    content        BLOB NOT NULL,                 -- without m.relates_to where `replaces` is set
    replaces       INTEGER REFERENCES outbox,     -- the row whose event this one edits
    request        TEXT NOT NULL,
    question       TEXT,
    part           INTEGER NOT NULL,
    parts          INTEGER NOT NULL,
    answer_state   TEXT NOT NULL,                 -- open, final
    instance       TEXT NOT NULL,
    priority       INTEGER NOT NULL,              -- 0 final, 1 first message
    state          TEXT NOT NULL DEFAULT 'pending',  -- pending, sent, undeliverable
    parked         INTEGER NOT NULL DEFAULT 0,
    last_resort    INTEGER NOT NULL DEFAULT 0,    -- said in place of an event that was refused
    event_id       TEXT
);
CREATE INDEX outbox_pending ON outbox (room_id, seq) WHERE state = 'pending';
CREATE INDEX outbox_by_request ON outbox (request, part);
CREATE INDEX outbox_by_question ON outbox (question) WHERE question IS NOT NULL;
CREATE INDEX outbox_by_replaced ON outbox (replaces) WHERE replaces IS NOT NULL;

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
CREATE UNIQUE INDEX one_space_each ON intents (owner) WHERE kind = 'space';
"""


@migrations()
def m001_foundation(db: Database) -> None:
    """Make the tables of the first release."""
    db.executescript(FOUNDATION)
