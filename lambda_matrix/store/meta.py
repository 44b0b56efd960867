"""Single facts: the sync token, the number of the last batch, the filter, our instances."""

from sqlite_utils import Database

from lambda_matrix.ids import FilterId, InstanceId, PlatformChatId, SyncToken
from lambda_matrix.store.records import Ourselves


def sync_token(db: Database) -> SyncToken | None:
    """Return where the next sync goes on from; None before the first."""
    value = _get(db, "sync_token")
    return None if value is None else SyncToken(value)


def set_sync_token(db: Database, token: SyncToken) -> None:
    """Move the sync token; only ever together with what it stands behind."""
    _set(db, "sync_token", token)


def next_batch_number(db: Database) -> int:
    """Count one more batch, and return its number, from 1."""
    following = number(db, "batch") + 1
    set_number(db, "batch", following)
    return following


def number(db: Database, key: str) -> int:
    """Return a number that was noted under this key; 0 if none was."""
    return int(_get(db, key) or "0")


def set_number(db: Database, key: str, value: int) -> None:
    """Note a number."""
    _set(db, key, str(value))


def stored_filter(db: Database, definition_hash: str) -> FilterId | None:
    """Return the id of the uploaded filter, if it is still the one with this definition."""
    value = _get(db, "filter")
    known_hash, _, filter_id = (value or "").partition(" ")
    return FilterId(filter_id) if known_hash == definition_hash else None


def set_stored_filter(db: Database, definition_hash: str, filter_id: FilterId) -> None:
    """Remember the uploaded filter under its definition's hash."""
    _set(db, "filter", f"{definition_hash} {filter_id}")


def avatar(db: Database, digest: str) -> str | None:
    """Return the address of the picture with this digest, if it is the one uploaded last."""
    known, _, mxc = (_get(db, "avatar") or "").partition(" ")
    return mxc if known == digest else None


def newest_avatar(db: Database) -> str | None:
    """Return the address of the picture that was uploaded last."""
    return (_get(db, "avatar") or "").partition(" ")[2] or None


def set_avatar(db: Database, digest: str, mxc: str) -> None:
    """Remember the address of an uploaded picture under its digest."""
    _set(db, "avatar", f"{digest} {mxc}")


def begin_instance(db: Database, ourselves: Ourselves) -> None:
    """Note this start of the service.

    A store that served another user or device before forgets its sync token: tokens, like
    transaction ids, are theirs.
    """
    db.execute("INSERT INTO instances (instance_id) VALUES (?)", (ourselves.instance,))
    who = f"{ourselves.user_id} {ourselves.device_id}"
    if _get(db, "who") not in {None, who}:
        db.execute("DELETE FROM meta WHERE key IN ('sync_token', 'filter')")
    _set(db, "who", who)


def is_own_instance(db: Database, instance: InstanceId) -> bool:
    """Return whether `instance` is a start that this store has seen."""
    row = db.execute("SELECT 1 FROM instances WHERE instance_id = ?", (instance,)).fetchone()
    return row is not None


def note_foreign(db: Database, instance: InstanceId) -> None:
    """An event of ours has shown a start that this store does not know."""
    if instance > (_get(db, "foreign_instance") or ""):
        _set(db, "foreign_instance", instance)


def note_announced(db: Database, instance: InstanceId) -> None:
    """The start has announced itself as the one that answers."""
    _set(db, "announced_instance", instance)


def is_alone(db: Database) -> bool:
    """Return whether the start that announced itself last, if any did, is one of this store's."""
    announced = _get(db, "announced_instance")
    return announced is None or is_own_instance(db, InstanceId(announced))


def newest_instance(db: Database) -> InstanceId | None:
    """Return the latest start under our name that is known, this store's own or not."""
    row = db.execute("SELECT max(instance_id) FROM instances").fetchone()
    known = [each for each in (row[0], _get(db, "foreign_instance")) if each is not None]
    return InstanceId(max(known)) if known else None


def platform_chat_id_mark(db: Database) -> PlatformChatId:
    """Return the highest `platform_chat_id` ever used here."""
    return PlatformChatId(int(_get(db, "platform_chat_id") or "0"))


def note_platform_chat_id(db: Database, number: PlatformChatId) -> None:
    """The number is used: no lower one is new any more."""
    if number > platform_chat_id_mark(db):
        _set(db, "platform_chat_id", str(number))


def next_platform_chat_id(db: Database, at_least: PlatformChatId) -> PlatformChatId:
    """Use up one more number, never below `at_least` (the homeserver's mark plus one)."""
    following = PlatformChatId(max(platform_chat_id_mark(db) + 1, at_least))
    _set(db, "platform_chat_id", str(following))
    return following


def _get(db: Database, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _set(db: Database, key: str, value: str) -> None:
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
