"""What is said of contexts, and of those that were saved."""

from collections.abc import Sequence

from lambda_matrix.conversation.catalogue.contexts import (
    ContextFacts,
    ContextTexts,
    LoadedFacts,
    SavedLine,
)
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.markdown import as_code, literal
from lambda_matrix.conversation.settings import Threads
from lambda_matrix.conversation.texts_en.wording import ago, counted, numbered, sized


def context_texts(quote: Quote) -> ContextTexts:
    """Return the sentences, with the commands as `quote` has them."""
    load, save = quote(CommandName.LOAD), quote(CommandName.SAVE)
    forget = quote.usage(CommandName.FORGET)
    return ContextTexts(
        context=lambda facts: _context(facts, save, load),
        cleared=(
            "Done, we start afresh: nothing that was said here before goes to the agent any more. "
            "You can still read it above."
        ),
        saved=lambda name, messages: (
            f"Saved as “{literal(name)}”: {counted(messages, 'message')}. {load} goes on from "
            "there, in any of your chats."
        ),
        saved_again=lambda name, messages: (
            f"“{literal(name)}” now holds this conversation up to here: "
            f"{counted(messages, 'message')}."
        ),
        name_taken=lambda name: (
            f"You have saved another conversation as “{literal(name)}” already. Please choose "
            f"another name, or delete that one first with {quote(CommandName.FORGET, name)}."
        ),
        default_name=lambda chat, number: chat if number == 1 else f"{chat} ({number})",
        nothing_to_save="There is nothing to save yet: this conversation has just begun.",
        too_many_saved=lambda limit: (
            f"You have saved {counted(limit, 'conversation')}, and there is no room for more. "
            f"{forget} deletes one."
        ),
        forgotten=lambda name: (
            f"“{literal(name)}” is no longer saved. The messages themselves are still in the chat "
            "that they are from."
        ),
        no_such_saved=lambda word, nearest: (
            f"Nothing is saved as {as_code(word)}. "
            + (f"Did you mean {as_code(nearest)}? " if nearest else "")
            + f"{load} lists what is."
        ),
        saved_list=lambda lines: _saved_list(lines, save),
        loaded=_loaded,
        source_gone=lambda name: (
            f"I can no longer read the chat that “{literal(name)}” was saved from, so I cannot go "
            "on from it. Nothing has changed here."
        ),
    )


def _context(facts: ContextFacts, save: str, load: str) -> str:
    lines = [
        f"Agent: {literal(facts.agent)}" + (" (no longer there)" if facts.is_stale else ""),
        f"Context number: {facts.platform_chat_id}",
        f"Begun: {ago(facts.age)}, {counted(facts.messages, 'message')} so far",
        *_tokens(facts),
        *([] if facts.loaded is None else [f"Goes on from “{literal(facts.loaded)}”"]),
        *_sent(facts.sent_limit),
        _threads(facts.threads),
    ]
    shown = "\n".join(f"- {line}" for line in lines)
    saved = f"Nothing is saved yet; {save} saves this conversation."
    if facts.saved:
        listed = "\n".join(f"- {_saved(line)}" for line in facts.saved)
        saved = f"Saved conversations ({load}):\n{listed}"
    return f"What I remember in this chat:\n{shown}\n\n{saved}"


def _tokens(facts: ContextFacts) -> list[str]:
    if facts.input_tokens is None and facts.output_tokens is None:
        return []
    read = counted(facts.input_tokens or 0, "token")
    return [f"Used: {read} read, {facts.output_tokens or 0:,} written"]


def _sent(limit: int | None) -> list[str]:
    if limit is None:
        return []
    return [f"The newest {counted(limit, 'message')} at most go along with each question"]


def _threads(threads: Threads) -> str:
    if threads is Threads.OWN:
        return "Each thread has a memory of its own"
    return "Threads share this memory"


def _saved(line: SavedLine) -> str:
    return (
        f"“{literal(line.name)}”, from {literal(line.chat)}: {counted(line.messages, 'message')}, "
        f"{sized(line.size)}, saved {ago(line.age)}"
    )


def _saved_list(lines: Sequence[SavedLine], save: str) -> str:
    if not lines:
        return f"You have not saved a conversation yet. {save} saves this one."
    return (
        f"Saved conversations:\n{numbered(_saved(line) for line in lines)}\n\n"
        "Send a number to go on from one here, in a fresh context, or just carry on."
    )


def _loaded(facts: LoadedFacts) -> str:
    said = (
        f"We go on from “{literal(facts.name)}”, in a fresh context: "
        f"{counted(facts.messages, 'message')}."
    )
    if facts.is_cut:
        said += " There were more than I can take along, so I have taken the newest."
    if facts.left_out:
        said += (
            f" {counted(facts.left_out, 'message')} could not be read or had been deleted, and "
            f"{'is' if facts.left_out == 1 else 'are'} left out."
        )
    return said
