"""``wrong_kind``: an entry that is not what it says it is.

A procedure has steps, a comparison has two sides, a list has items; yes or no is no answer to learn from, unless a
case was to be decided.
"""

import re
from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.form import listed
from services.curate.checks.source import View
from services.curate.sentences import sentences

_SEQUENCE = re.compile(
    r"\b(?:first|firstly|then|next|second|secondly|third|finally|afterwards|lastly"
    r"|step|once|until|subsequently|by \w+ing|followed by"
    r"|zuerst|zunächst|dann|danach|anschliessend|schliesslich|zuletzt|erst|schritt"
    r"|sobald|daraufhin|indem"
    r"|d['’]abord|ensuite|puis|enfin|étape|finalement|premièrement|dès que|en"
    r" \w+ant"
    r"|primero|luego|después|finalmente|antes|paso|cuando|prima|poi|quindi|dopo|infine|primeiro"
    r"|depois|em seguida|por fim|quando)\b|首先|然后|接着|最后|まず|次に|最後に"
)
_COMPARED = re.compile(
    r"\b(?:than|differ\w*|distinguish\w*|compar\w*|versus|vs|whereas|while|both|unlike|contrast"
    r"|similar\w*|alike|same|more|less|most|least|fewer|\w{3,}er|\w{3,}est|between|either|instead"
    r"|but|however|better|worse"
    r"|als|unterschied\w*|unterscheid\w*|vergleich\w*|gegenüber|während|beide\w*|anders|gleich\w*"
    r"|hingegen|dagegen|jedoch|aber|ähnlich\w*|sondern|mehr|weniger|sowohl|zwischen"
    r"|différ\w*|compar\w*|tandis|alors que|contrairement|plus|moins|mieux|même\w*|les deux|entre"
    r"|distingu\w*|semblable\w*|mais|autant|aussi"
    r"|diferen\w*|mientras|más|menos|ambos|ambas|differen\w*|mentre|più|meno|entrambi|enquanto"
    r"|mais|menos)\b|比|区别|不同|而|違い|より|異な"
)
_YES_NO_QUESTION = {
    "en": re.compile(
        r"^(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|must|may"
        r"|might)(?:n['’]t)? (?!.*\bor\b)"
    ),
    "de": re.compile(
        r"^(?:ist|sind|war|waren|hat|haben|hatte|hatten|kann|können|konnte|wird|werden|wurde"
        r"|wurden|muss|müssen|darf|dürfen|soll|sollte|gibt|gab) (?!.*\boder\b)"
    ),
    "fr": re.compile(
        r"^est-ce qu(?!.*\bou\b)|^(?:peut|doit|faut|y a)-(?:t-)?(?:on|il|elle)\b(?!.*\bou\b)"
    ),
}
_YES_NO = re.compile(
    r"^(?:yes|no|ja|nein|oui|non|sí|no|sì|sim|não|是的?|不是?|はい|いいえ)(?=[,.!。，、\s]|$)(?! (?:\w+ )?\d)"
)
_LAST = re.compile(r"(?<=[.!:])\s+")
_TOLD = 12
"""Words from which an answer to a yes-or-no question tells more than that."""
_DECIDES = frozenset({"application", "comparison", "consequence"})
_ITEMS = re.compile(r",|;|\band\b|\bund\b|\bet\b|\by\b|、|，|\n")


def wrong_kind(view: View) -> Iterator[Found]:
    """Kind, task, style and mode, each against the text."""
    entry, settings = view.entry, view.settings
    if entry.type == "malformed":
        return
    if settings.mode not in ("default", entry.type):
        yield Found(reason="wrong_kind", detail=f"{entry.type}, not {settings.mode}")
    if entry.answerable:
        yield from _served(view)
        yield from _yes_no(view)
    styled = settings.answer_style == "step_by_step" and entry.type == "question and answer"
    if styled and entry.answerable and listed(entry.answer) < 2:
        yield Found(reason="wrong_kind", detail="no numbered steps")


def _served(view: View) -> Iterator[Found]:
    entry = view.entry
    answer = entry.answer
    if not answer:
        return
    if entry.kind == "procedure" and not _steps(answer):
        yield Found(reason="wrong_kind", detail="procedure without steps")
    both = f"{entry.question} {answer}".casefold()
    if entry.kind in ("comparison", "compare") and not _COMPARED.search(both):
        yield Found(reason="wrong_kind", detail="comparison with one side")
    if entry.kind == "list" and listed(answer) < 2 and not _ITEMS.search(answer.strip()):
        yield Found(reason="wrong_kind", detail="list of one item")


def _steps(answer: str) -> bool:
    """Two list items, two sentences, or one that puts its parts in order."""
    if listed(answer) >= 2 or len(sentences(" ".join(answer.split()))) >= 2:
        return True
    return bool(_SEQUENCE.search(answer.casefold())) or answer.count(",") + answer.count(";") >= 2


def _yes_no(view: View) -> Iterator[Found]:
    entry = view.entry
    if not entry.asks:
        return
    question = entry.question.casefold()
    pattern = _YES_NO_QUESTION.get(view.language or "en")
    # A case is told first and decided in the last sentence.
    asked = _LAST.split(question.strip())[-1]
    closed = bool(pattern and pattern.match(asked))
    says = _YES_NO.match(entry.answer.casefold())
    told = view.said.count >= _TOLD and len(view.said.stems - view.asked.stems) >= 4
    if closed and not (entry.kind in _DECIDES or told):
        yield Found(reason="wrong_kind", detail=f"yes or no: {entry.question[:150]}")
    elif says and not told and (not closed or view.said.count < 5):
        yield Found(reason="wrong_kind", detail=f"yes or no: {entry.answer[:150]}")
