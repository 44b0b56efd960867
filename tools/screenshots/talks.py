"""What is said in the pictures, in each language: questions, and what the agent has prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent import Ask, Say, Send, Step, UseTool
from attrs import frozen

from lambda_matrix.conversation.language import Language


@frozen
class Exchange:
    """A question, its answer step by step, and words of it to look for."""

    question: str
    answer: Sequence[Step]
    see: str


@frozen(kw_only=True)
class Talk:
    """A person, and what they talk about; `bot` and `person` are localparts."""

    language: Language
    bot: str
    person: str
    name: str
    help: str
    settings: str
    new: str
    chats: str
    yes: str
    work_chat: str
    photo_chat: str
    trip: Exchange
    thanks: Exchange
    tool: Exchange
    function: Exchange
    formula: Exchange
    photo: Exchange
    chart: Exchange
    chart_title: str
    chart_file: str
    chart_bars: Mapping[str, int]
    delete: Exchange

    @property
    def answers(self) -> dict[str, Sequence[Step]]:
        """The answers, by question."""
        exchanges = (
            *(self.trip, self.thanks, self.function, self.formula, self.delete, self.tool),
            *(self.photo, self.chart),
        )
        return {exchange.question: exchange.answer for exchange in exchanges}


ENGLISH = Talk(
    language=Language.EN,
    bot="lambda",
    person="anna",
    name="Anna",
    help="!help",
    settings="!settings",
    new="!new",
    chats="!chats",
    yes="!yes",
    work_chat="Work",
    photo_chat="Pictures",
    trip=Exchange(
        "I have three days in Lisbon in May. What should I see? A table, please.",
        [
            Say(
                """\
Three days are enough for the *old town* and the coast:

| day | morning | afternoon | on foot, km |
| --- | --- | --- | ---: |
| Fri | Alfama, **São Jorge** castle | tram 28 to Estrela | 6.5 |
| Sat | Belém: tower, monastery | the river by ferry | 8 |
| Sun | train to **Cascais** | Boca do Inferno | 11 |

1. Buy a *24-hour ticket* for trams and trains.
2. Be in Belém before ten, see [the opening hours](https://example.org/belem).

> Comfortable shoes: the hills are steeper than the map says."""
            )
        ],
        "Comfortable shoes",
    ),
    thanks=Exchange(
        "Thanks! And how do I ask for the bill? 🙂",
        [Say("*A conta, se faz favor.* Say it with a smile, and it will come at once 😊")],
        "se faz favor",
    ),
    tool=Exchange(
        "Which of our servers had the most restarts last week?",
        [
            Say("I will look that up in the logs."),
            UseTool("read_logs"),
            Say("\n\nTwo stand out: **build-2** restarted 14 times, **mail-1** nine times."),
        ],
        "read_logs",
    ),
    function=Exchange(
        "Write me a function that splits a text into sentences.",
        [
            Say(
                '''\
Here it is. The mark stays with its sentence:

```python
import re

def sentences(text: str) -> list[str]:
    """Split a text after '.', '!' and '?'."""
    found = re.split(r"(?<=[.!?])\\s+", text)
    return [one for one in found if one]
```

`sentences("Yes. No!")` gives `["Yes.", "No!"]`.'''
            )
        ],
        "Here it is",
    ),
    formula=Exchange(
        "What was the formula for quadratic equations?",
        [
            Say(
                r"""The equation $ax^2 + bx + c = 0$ has the solutions

$$
x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
$$

They are real if $b^2 \ge 4ac$."""
            )
        ],
        "They are real",
    ),
    photo=Exchange(
        "What is in this picture?",
        [Say("A small sailing boat on a calm sea at sunset, seen from a sandy shore.")],
        "A small sailing boat",
    ),
    chart=Exchange(
        "Draw last week's restarts as a chart.",
        [Say("Here they are, most of them on Tuesday:"), Send("restarts.png")],
        "Here they are",
    ),
    chart_title="Restarts last week",
    chart_file="restarts.png",
    chart_bars={"build-2": 14, "mail-1": 9, "web-1": 2, "db-1": 1},
    delete=Exchange(
        "Delete the old reports, please.",
        [
            Say("There are two of them, both from last year."),
            Ask("Shall I delete report-1.txt and report-2.txt?", "Both are deleted."),
        ],
        "Shall I delete",
    ),
)
RUSSIAN = Talk(
    language=Language.RU,
    bot="lambda-ru",
    person="vera",
    name="Вера",
    help="!помощь",
    settings="!настройки",
    new="!новый",
    chats="!чаты",
    yes="!да",
    work_chat="Работа",
    photo_chat="Картинки",
    trip=Exchange(
        "В мае у меня три дня в Лиссабоне. Что посмотреть? Лучше таблицей.",
        [
            Say(
                """\
Трёх дней хватит на *старый город* и на побережье:

| день | утро | после обеда | пешком, км |
| --- | --- | --- | ---: |
| пт | Алфама, замок **Сан-Жоржи** | трамвай 28 до Эштрелы | 6,5 |
| сб | Белен: башня, монастырь | паром через реку | 8 |
| вс | поездом в **Кашкайш** | Бока-ду-Инферну | 11 |

1. Возьмите *билет на сутки*: он действует в трамваях и поездах.
2. В Белен приезжайте до десяти, вот [часы работы](https://example.org/belem).

> Обувь нужна удобная: холмы круче, чем кажется по карте."""
            )
        ],
        "Обувь нужна удобная",
    ),
    thanks=Exchange(
        "Спасибо! А как там попросить счёт? 🙂",
        [Say("*A conta, se faz favor.* Скажите это с улыбкой, и счёт принесут сразу 😊")],
        "se faz favor",
    ),
    tool=Exchange(
        "Какие из наших серверов чаще всего перезапускались на прошлой неделе?",
        [
            Say("Посмотрю в журналах."),
            UseTool("read_logs"),
            Say("\n\nВыделяются два: **build-2** перезапускался 14 раз, **mail-1** — девять."),
        ],
        "read_logs",
    ),
    function=Exchange(
        "Напиши функцию, которая делит текст на предложения.",
        [
            Say(
                '''\
Вот она. Знак остаётся при своём предложении:

```python
import re

def sentences(text: str) -> list[str]:
    """Делит текст после «.», «!» и «?»."""
    found = re.split(r"(?<=[.!?])\\s+", text)
    return [one for one in found if one]
```

`sentences("Да. Нет!")` вернёт `["Да.", "Нет!"]`.'''
            )
        ],
        "Вот она",
    ),
    formula=Exchange(
        "Как решают квадратные уравнения?",
        [
            Say(
                r"""У уравнения $ax^2 + bx + c = 0$ такие корни:

$$
x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
$$

Они вещественные, если $b^2 \ge 4ac$."""
            )
        ],
        "Они вещественные",
    ),
    photo=Exchange(
        "Что на этой картинке?",
        [Say("Маленькая парусная лодка на спокойном море, закат; снято с песчаного берега.")],
        "Маленькая парусная лодка",
    ),
    chart=Exchange(
        "Нарисуй перезапуски за неделю на диаграмме.",
        [Say("Вот они, больше всего во вторник:"), Send("перезапуски.png")],
        "Вот они",
    ),
    chart_title="Перезапуски за неделю",
    chart_file="перезапуски.png",
    chart_bars={"build-2": 14, "mail-1": 9, "web-1": 2, "db-1": 1},
    delete=Exchange(
        "Удали старые отчёты, пожалуйста.",
        [
            Say("Их два, оба за прошлый год."),
            Ask("Удалить отчёт-1.txt и отчёт-2.txt?", "Оба удалены."),
        ],
        "Удалить отчёт",
    ),
)
