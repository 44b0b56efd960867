"""Facts as JSON in a column and back, strictly: what comes out is what went in."""

from typing import cast, get_args

from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from lambda_matrix.matrix_events import EncryptedMessage, MediaMessage, OtherMessage, TextMessage

Incoming = TextMessage | MediaMessage | OtherMessage | EncryptedMessage
"""What may want a reaction, and so goes through the inbox."""

_converter = make_converter()
configure_tagged_union(Incoming, _converter, tag_name="fact")
INCOMING = get_args(Incoming)


def dump_fact(fact: Incoming) -> str:
    """Return the column's text."""
    return _converter.dumps(fact, unstructure_as=Incoming)


def load_fact(text: str) -> Incoming:
    """Return the fact that `dump_fact` wrote."""
    return _converter.loads(text, cast("type[Incoming]", Incoming))
