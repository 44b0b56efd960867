"""What is said of files, either way."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.files import FileTexts, StagedLine
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.texts_en.wording import counted, listed, numbered, sized


def file_texts(quote: Quote) -> FileTexts:
    """Return the sentences, with the commands as `quote` has them."""
    files, remove = quote(CommandName.FILES), quote.usage(CommandName.REMOVE)
    return FileTexts(
        staged=lambda line, waiting: (
            f"Got {as_code(line.name)} ({sized(line.size)}). "
            + (
                "It goes along with your next message. "
                if waiting == 1
                else f"{counted(waiting, 'file')} go along with your next message. "
            )
            + f"{files} lists what waits, {remove} takes something off."
        ),
        staged_list=lambda lines: _staged_list(lines, remove),
        removed=lambda names: (
            f"{listed(as_code(name) for name in names)} "
            f"{'does' if len(names) == 1 else 'do'} not go along any more."
        ),
        no_such_number=lambda count: (
            "No files are waiting."
            if count == 0
            else "Only one file is waiting."
            if count == 1
            else f"The files are numbered from 1 to {count}; {files} lists them."
        ),
        too_many=lambda limit: (
            f"No more than {counted(limit, 'file')} can go along with one message, so I have not "
            f"taken this one. Please send the message, or take something off with {remove}."
        ),
        too_large=lambda name, limit: (
            f"{as_code(name)} is too large for me: I take files of up to {sized(limit)}."
        ),
        type_refused=lambda name, mime_type: (
            f"I may not take files of this kind: {as_code(name)} is {as_code(mime_type)}."
        ),
        not_fetched=lambda name: (
            f"The homeserver would not give me {as_code(name)}. Please send it once more."
        ),
        encrypted=lambda name: (
            f"{as_code(name)} is encrypted, and I cannot read encrypted files yet. Please send it "
            "unencrypted."
        ),
        no_workspace=lambda agent: (
            f"{literal(agent)} takes no files, so I could not pass yours on. Please put what "
            "matters into words."
        ),
        disk_full=lambda name: (
            f"There is no room left to keep {as_code(name)}. Please tell whoever runs this bot, "
            "and send it again later."
        ),
        folder_broken=lambda name: (
            f"I could not put {as_code(name)} where the agent would find it. Please tell whoever "
            "runs this bot, and send it again later."
        ),
        not_all_inline=lambda names, limit: (
            f"The files of one message may have {sized(limit)} in all, so the agent has not got "
            f"{listed(as_code(name) for name in names)}."
        ),
        voice_not_heard=(
            "I cannot listen to voice messages in this chat, since its agent takes no files. "
            "Please write to me."
        ),
        caption_only=lambda name: (
            f"Since {as_code(name)} did not reach me, I have not asked what you wrote under it."
        ),
        offered_missing=lambda path: (
            f"_The agent wanted to send you {as_code(path)}, but there is no such file._"
        ),
        offered_outside=lambda path: (
            f"_The agent wanted to send you {as_code(path)}, which does not belong to this chat, "
            "so I have not sent it._"
        ),
        offered_too_large=lambda path, size, limit: (
            f"_The agent wanted to send you {as_code(path)} ({sized(size)}), but the homeserver "
            f"takes files of up to {sized(limit)} only._"
        ),
        offered_unreadable=lambda path: (
            f"_The agent wanted to send you {as_code(path)}, but that is nothing that I can read._"
        ),
        offered_not_sent=lambda path: (
            f"_The agent wanted to send you {as_code(path)}, but the homeserver did not take it._"
        ),
    )


def _staged_list(lines: Sequence[StagedLine], remove: str) -> str:
    if not lines:
        return "No files are waiting. Send me one, and it goes along with your next message."
    shown = numbered(
        f"{as_code(line.name)} – {sized(line.size)}, {as_code(line.mime_type)}" for line in lines
    )
    return f"These go along with your next message:\n{shown}\n\n{remove} takes something off."
