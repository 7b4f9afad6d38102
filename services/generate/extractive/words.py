"""Closed classes of English words and the patterns that make a sentence unfit; data with a few pure look-ups.

Precision before yield: a word that may be two things stands in the class that leads to a refusal.
"""

import re

ARTICLES = frozenset(("a", "an", "the"))
PREPOSITIONS = frozenset(
    """about above across after against along alongside amid among around as at before behind below beneath
    beside besides between beyond by despite down during except for from in inside into like near of off on onto
    out outside over past per plus since through throughout to toward towards under underneath unlike until up
    upon versus via with within without according due regarding concerning""".split()
)
CONJUNCTIONS = frozenset(
    """and or but nor so yet because although though while whereas when whenever where wherever if unless until
    since once than that whether which who whom whose what how why as after before""".split()
)
AUXILIARIES = frozenset(
    """is are was were be been being am has have had do does did can could may might must shall should will
    would""".split()
)
MODALS = frozenset("can could may might must shall should will would".split())
PRONOUNS = frozenset(
    """i me my mine we us our ours you your yours he him his she her hers it its they them their theirs this
    that these those who whom whose which what one ones someone somebody something anyone anybody anything
    everyone everybody everything none nobody nothing each both either neither another other others such same
    former latter himself herself itself themselves oneself here there""".split()
)
QUANTIFIERS = frozenset(
    """some any many most more much few fewer several all every no half less least numerous various certain
    countless enough plenty two three four five six seven eight nine ten eleven twelve twenty substantial considerable hundreds thousands
    millions dozens only just even not never""".split()
)
BANNED_IN_SUBJECT = frozenset(
    """i me my we us our you your he him his she her it its they them their this that these those who whom whose
    which what where when while why how if whether because although though than as following above below next
    previous preceding same former latter said aforementioned current not never only even also just such so too very there
    here etc e.g i.e everything something anything nothing everyone someone anyone again one ones another other others
    until unless since via respectively""".split()
)
BANNED_FIRST = (
    PRONOUNS | PREPOSITIONS | CONJUNCTIONS | QUANTIFIERS | AUXILIARIES | {"let", "then", "now"}
)
ADVERBS = frozenset(
    """also often usually commonly sometimes generally typically originally officially formally later finally
    eventually subsequently first still now mainly primarily mostly widely largely traditionally normally frequently
    formerly historically popularly probably possibly then thus therefore always never rarely already initially
    jointly simultaneously briefly currently recently today once again soon successfully newly nearly almost
    approximately about roughly partly partially originally exclusively typically well best better long far
    ever only even just too instead however hence together twice thrice""".split()
)
STOP = (
    ARTICLES
    | PREPOSITIONS
    | CONJUNCTIONS
    | AUXILIARIES
    | PRONOUNS
    | frozenset("not no s t also only very more most some any all".split())
)
VAGUE = frozenset(
    """very good great powerful important easy simple example examples problem problems way ways bit lot lots
    nice best better bad worst worse useful helpful thing things something anything same such key crucial essential
    vital interesting popular famous matter case cases reason reasons fact question result results consequence
    consequences kind-of sort-of issue issues concern topic subject challenge challenges step first second third
    next last following above below different similar likely unlikely idea ideal great big major main
    controversial significant notable exception point beneficiary basis source majority focus remainder product products backbone home predominant leading singular plural much another components component members member parts other most only more little few few half
    difficult hard possible impossible necessary sign cause""".split()
)
"""Words that make "S is a …" an opinion or a pointer instead of a definition when among its first six words."""
WEAK_MODIFIERS = frozenset(
    """first second third fourth fifth last final new old original main major minor whole entire resulting other
    same current present early late later earlier initial subsequent latter former large larger largest great greater
    greatest small smaller smallest big only remaining total local actual overall basic general next best most more
    least two three four five six seven eight nine ten own said very different various certain particular specific
    single double full complete common usual typical normal important key primary secondary additional further
    right wrong correct proper true real modern older newer young younger long longer short shorter high higher
    low lower good better bad worse possible necessary simple more so-called named given corresponding above below
    following previous existing proposed combined exact opposite singular plural
    state country city town company government team province region party village organization league""".split()
)
WEAK_HEADS = frozenset(
    """part parts area areas side sides end ends result results reason reasons problem problems purpose idea ideas
    case cases way ways fact facts term terms word words name names concept process processes system systems method
    methods number numbers amount amounts group groups type types kind kinds form forms version versions rest majority
    minority use uses point points thing things example examples issue issues effect effects change changes author
    authors example work works project projects team show series book film song album story period time times year
    years day days event events place places position total difference differences use user users function value
    values size length width height depth list order set text title section sections chapter article page pages
    attempt attempts decision task tasks company city country region state town building site structure design people
    group plan report study studies program programme movement war battle treaty agreement law act party government
    remainder majority others rule rules line lines item items approach approaches answer question questions theory
    model models practice policy position role feature features option options choice data information evidence
    finding findings experiment experiments test tests claim claims argument arguments statement statements view views
    member members name nature structure phenomenon property properties situation condition conditions""".split()
)
"""Nouns that point at something said before when they stand alone after "the"."""
UNIQUE = frozenset(
    "sun moon earth sea sky world universe equator internet bible quran pope renaissance enlightenment".split()
)
"""Nouns of which "the" names the only one."""
GENERIC = frozenset(
    """body head eye eyes ear ears hand hands face mouth skin blood mind soul ground surface air water wind environment
    economy law public public's left right north south east west northeast northwest southeast southwest past future night day
    morning evening weather climate web keyboard screen user population family individual person reader viewer listener
    speaker patient child mother father bottom top middle centre center front back inside outside same majority rest
    beginning end dark open sun's shore coast sea's wild field land soil""".split()
)
"""Nouns that "the" may name in general when they are no subject ("pumps blood through the body")."""
BARE_SUBJECTS_BANNED = frozenset(
    """results examples others things people parts members students critics scholars experts researchers scientists
    historians supporters opponents users readers sources reports studies details questions problems reasons changes
    differences similarities attempts efforts work works events topics notes data information research evidence
    figures values options methods approaches techniques applications uses cases effects conditions estimates
    proponents observers authors officials authorities most part half everything nothing today yesterday tomorrow
    recent early later similar additional further different various specific particular common typical modern
    example note warning tip definition overview summary introduction conclusion inside outside once thanks
    figure table section chapter appendix page step option type version""".split()
)

CONNECTIVE = re.compile(
    r"^(?:However|Therefore|Thus|Hence|Moreover|Furthermore|In addition|Additionally|Also|Nevertheless|Nonetheless"
    r"|Consequently|As a result|Accordingly|For example|For instance|In fact|Indeed|Meanwhile|Finally|Overall"
    r"|In particular|Specifically|Notably|Interestingly|Importantly|Of course|Besides|First|Second|Third|Firstly"
    r"|Secondly|Thirdly|Lastly|In short|In other words|That is|And|But|Naturally|Unfortunately|Fortunately"
    r"|Conversely|Similarly|Likewise|Instead|Otherwise|By contrast|In contrast|On the other hand|Today|Nowadays|Currently), (?=\S)"
)
"""Words that tie a sentence to the one before; what follows stands by itself."""

PERSONAL = re.compile(
    r"\b(?:[Yy]ou|[Yy]our|[Yy]ours|[Yy]ourself|[Ww]e|[Uu]s|[Oo]ur|[Oo]urs|[Oo]urselves|I|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself"
    r"|[Ll]et['’]s)\b(?!\.)"
)
POINTING = re.compile(
    r"\b(?:this|these|here|aforementioned|(?:above|below)(?! (?:the|an?|\d|sea|ground|its?|zero|average|freezing|normal|water|all|which|that)\b)|the (?:following|former|latter|next|previous|preceding|said)"
    r"|as follows|today|now|currently|recently|nowadays|so far|at present|presently|thereof|aforesaid|there (?!is|are|was|were|has|have|had|can|may|must)|there[.,;]"
    r"|those (?!who|that|of|which|in|with)|that (?:year|time|day|month|point|period|reason|case|way|date|same)"
    r"|such (?!as\b))|\bsuch a\b",
    re.IGNORECASE,
)
META = re.compile(
    r"\b(?:(?:this|the|present|next|previous|following|preceding) (?:section|chapter|article|document|page|paragraph"
    r"|passage|excerpt|text below|figure|table|appendix|book|tutorial|guide|manual|README)"
    r"|(?:[Ff]igure|[Tt]able|[Ss]ection|[Cc]hapter|[Aa]ppendix|[Ff]ig\.|[Pp]age|p\.|pp\.|[Ee]q\.|[Ee]quation) \(?\d"
    r"|shown (?:on|at|in|to) the (?:left|right|top|bottom|figure|table|diagram)|as (?:mentioned|shown|noted|described|discussed|explained|stated|seen|defined) (?:above|below|earlier"
    r"|previously|before|in)"
    r"|(?:see|refer to|see also|click|copyright|all rights reserved|ISBN|ISSN|doi)\b)",
    re.IGNORECASE,
)
CONTRACTION = re.compile(
    r"\b(?:\w+n['’]t|(?:\w+)['’](?:re|ve|ll|d|m)|(?:it|that|there|he|she|what|who)['’]s)\b",
    re.IGNORECASE,
)
SYMBOLS = re.compile(
    r"[{}<>|=\\^~@#$_\[\]…→←•]|https?:|www\.|\.\.|::|\(\)|--|\w/\w+/|\w[-\u2010] [a-z]|[?!:;]\)|\b\w+\.(?:com|org|net|py|js|rs)\b"
)
TAINTED_PRONOUNS = frozenset("he him his she her hers they them their theirs it its".split())

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words(text: str) -> list[str]:
    """Words of letters and digits, hyphens and apostrophes inside them kept, as they stand."""
    return _WORD.findall(text)


def content_words(text: str) -> list[str]:
    """Lower-case words that carry meaning."""
    return [word for word in map(str.lower, _WORD.findall(text)) if word not in STOP]


def normal(text: str) -> str:
    """A text for comparison: lower-case words and nothing else."""
    return " ".join(_WORD.findall(text.lower()))


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
