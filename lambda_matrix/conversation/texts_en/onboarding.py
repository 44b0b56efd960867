"""What is said to those who come."""

from lambda_matrix.conversation.catalogue.onboarding import OnboardingTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName
from lambda_matrix.conversation.texts_en.wording import duration


def onboarding_texts(quote: Quote) -> OnboardingTexts:
    """Return the sentences, with the commands as `quote` has them."""
    new, stop = quote(CommandName.NEW), quote(CommandName.STOP)
    command_list, bind = quote(CommandName.HELP), quote(CommandName.BIND)
    return OnboardingTexts(
        started="Hello! I am setting up your Space, this takes a moment.",
        delayed=lambda wait: (
            "The homeserver lets me create only so many rooms at a time. I will go on in "
            f"{duration(wait)} and write to you then; there is nothing for you to do."
        ),
        failed=(
            "I could not set up your Space: the homeserver would not let me. Please tell its "
            "administrator, or invite me again later."
        ),
        greeting_lobby=lambda way: (
            f"Hello! I am Lambda. I have made a Space for you: {way.space}. Each room in it is a "
            f"conversation of its own, with its own memory.\n\n"
            f"Accept the two invitations and write to me in {way.chat}. "
            f"You can send commands here as well: {command_list} lists them."
        ),
        greeting_again=lambda way: (
            f"Your chats are in your Space, {way.space}. Write to me in {way.chat}, or send {new} "
            "for a new chat."
        ),
        greeting_room=lambda way: (
            f"Hello! Your chats are in your Space, {way.space}. I can answer in this room, too: "
            f"{bind} makes it a chat, if you may change its name."
        ),
        invited_again=lambda way: (
            f"Welcome back! I have invited you to your Space again: {way.space}. Your chats are as "
            f"you left them, and {way.chat} is a good place to go on."
        ),
        greeting_chat=(
            "Hello! Ask me anything, I will answer right here. I remember what is said in this "
            f"chat and know nothing of the others.\n\n{new} opens another chat, {stop} stops an "
            f"answer, {command_list} shows everything that I understand."
        ),
        denied=(
            "I am sorry, I have not been allowed to talk to you. Please ask whoever runs this bot."
        ),
        strange_room=(
            "This room is not one of my chats, so I do not answer questions in it. "
            f"{bind} makes it one, if you may change its name. For chats of your own, invite me to "
            "a direct chat: I will make you a Space."
        ),
        encrypted_room=lambda link: (
            "This room is encrypted, and I cannot read encrypted messages yet. "
            + (
                "We can talk in a Space of your own: I make one for everybody who invites me to a "
                "direct chat."
                if link is None
                else f"We can talk here: {link}."
            )
        ),
    )
