from __future__ import annotations

import sqlite3

import pytest
from attrs import evolve

from lambda_matrix.ids import DeviceId, FilterId, InstanceId, PlatformChatId, SyncToken, UserId
from lambda_matrix.store import meta
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from tests.store.telling import INSTANCE, NEWER_INSTANCE, OWN


async def test_the_sync_token_is_the_newest(store: Store) -> None:
    assert await store.transact(meta.sync_token) is None
    for token in ("s1", "s2"):
        await store.transact(meta.set_sync_token, SyncToken(token))
    assert await store.transact(meta.sync_token) == "s2"


async def test_batches_are_counted(store: Store) -> None:
    assert [await store.transact(meta.next_batch_number) for _ in range(3)] == [1, 2, 3]


async def test_a_filter_is_known_by_its_definition(store: Store) -> None:
    assert await store.transact(meta.stored_filter, "hash") is None
    await store.transact(meta.set_stored_filter, "hash", FilterId("f 1"))
    assert await store.transact(meta.stored_filter, "hash") == "f 1"
    assert await store.transact(meta.stored_filter, "another") is None


async def test_starts_are_remembered(store: Store) -> None:
    await store.transact(meta.begin_instance, OWN)
    await store.transact(meta.begin_instance, evolve(OWN, instance=InstanceId("later")))
    assert await store.transact(meta.is_own_instance, INSTANCE)
    assert await store.transact(meta.is_own_instance, InstanceId("later"))
    assert not await store.transact(meta.is_own_instance, NEWER_INSTANCE)


async def test_a_start_happens_once(store: Store) -> None:
    await store.transact(meta.begin_instance, OWN)
    with pytest.raises(sqlite3.IntegrityError):
        await store.transact(meta.begin_instance, OWN)


@pytest.mark.parametrize(
    ("who", "token"),
    [
        (OWN, "s1"),
        (evolve(OWN, device_id=DeviceId("OTHER")), None),
        (evolve(OWN, user_id=UserId("@other:example.org")), None),
    ],
    ids=["the same", "another device", "another user"],
)
async def test_tokens_are_a_devices(store: Store, who: Ourselves, token: str | None) -> None:
    await store.transact(meta.begin_instance, OWN)
    await store.transact(meta.set_sync_token, SyncToken("s1"))
    await store.transact(meta.set_stored_filter, "hash", FilterId("f1"))
    await store.transact(meta.begin_instance, evolve(who, instance=InstanceId("later")))
    assert await store.transact(meta.sync_token) == token
    assert await store.transact(meta.stored_filter, "hash") == (token and "f1")


async def test_chat_numbers_are_never_given_twice(store: Store) -> None:
    async def following(at_least: int) -> int:
        return await store.transact(meta.next_platform_chat_id, PlatformChatId(at_least))

    assert await store.transact(meta.platform_chat_id_mark) == 0
    assert [await following(1000), await following(1000), await following(1)] == [1000, 1001, 1002]
    assert await following(2000) == 2000
    assert await store.transact(meta.platform_chat_id_mark) == 2000
