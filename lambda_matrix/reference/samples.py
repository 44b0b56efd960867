"""Texts that the rehearsal shows: each exercises a part of what a messenger must render."""

from __future__ import annotations

from collections.abc import Iterator

TABLE = """\
| planet | day, hours | moons |
| --- | ---: | ---: |
| Mercury | 4222.6 | 0 |
| Earth | 24 | 1 |
| Mars | 24.7 | 2 |
| Jupiter | 9.9 | 95 |
"""

CODE = """\
A function, and how it is called:

```python
def greet(name: str) -> str:
    # <b>not bold</b>, and & stays &
    return f"Hello, {name}!"
```

```console
$ python -c 'from greeting import greet; print(greet("Ada"))'
Hello, Ada!
```
"""

MATH = r"""
Euler's identity is $e^{i\pi} + 1 = 0$, and the Gaussian integral is

$$
\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}
$$

but a price of $5 or $6 is no formula.
"""

SURROGATE = "Half of a smiling face: \ud83d (the other half is missing)."

_PROSE = (
    "The quick brown fox jumps over the lazy dog, and **paragraph {n}** goes on from there: "
    "съешь же ещё этих мягких французских булок, да выпей чаю. "
)


def long_answer(size: int) -> Iterator[str]:
    """Give pieces of a Markdown text of at least `size` UTF-8 bytes: prose, code, tables."""
    length = number = 0
    while length < size:
        number += 1
        piece = _section(number)
        length += len(piece.encode())
        yield piece


def _section(number: int) -> str:
    prose = f"## Section {number}\n\n" + _PROSE.format(n=number) * 4 + "\n\n"
    if number % 3 == 0:
        rows = "".join(f"| {number}.{row} | {row * row} |\n" for row in range(1, 9))
        return prose + "| step | value |\n| --- | ---: |\n" + rows + "\n"
    if number % 3 == 1:
        lines = "".join(f"value_{line} = {number} * {line}\n" for line in range(1, 25))
        return prose + "```python\n" + lines + "```\n\n"
    return prose
