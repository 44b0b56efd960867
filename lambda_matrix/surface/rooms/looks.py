"""How the rooms that the bot makes look in a client: topic, picture, and the commands it offers."""

from attrs import frozen

from lambda_matrix.client_server_api.command_descriptions import (
    CommandArgument,
    CommandDescription,
)
from lambda_matrix.client_server_api.room_creation import RoomCreation
from lambda_matrix.conversation.command_table import Argument
from lambda_matrix.conversation.help import descriptions
from lambda_matrix.conversation.language import Language
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.store import meta
from lambda_matrix.store.records import Intent, RoomKind
from lambda_matrix.surface.links import server_name
from lambda_matrix.surface.means import Means


@frozen
class Looks:
    """Says what a room is made of."""

    _means: Means

    async def creation(self, intent: Intent, name: str, space: RoomId | None) -> RoomCreation:
        """Return what is to be made of the intent: a Space, or a chat that stands in `space`."""
        texts = await self._means.languages.of(intent.owner)
        is_space = intent.kind is RoomKind.SPACE
        return RoomCreation(
            marker=RoomMarker(intent.intent_id, "space" if is_space else "chat", intent.owner),
            name=name,
            topic=texts.rooms.space_topic if is_space else texts.rooms.chat_topic,
            invite=(intent.owner,),
            parent=space,
            via=(server_name(self._means.ourselves.user_id),),
            avatar=await self._means.store.transact(meta.newest_avatar),
            commands=() if is_space else command_descriptions(texts.language),
        )


def command_descriptions(language: Language) -> tuple[CommandDescription, ...]:
    """Return the commands of a chat, as clients that know of such things offer them."""
    return tuple(
        CommandDescription(
            name=each.name,
            description=each.line,
            arguments=() if each.argument is None else (_argument(each.argument, language),),
            aliases=each.aliases,
        )
        for each in descriptions(language)
    )


def _argument(argument: Argument, language: Language) -> CommandArgument:
    word = argument.words.of(language)[0]
    key = argument.words.english[0].replace(" ", "_")
    return CommandArgument(key=key, description=word, is_optional=not argument.is_required)
