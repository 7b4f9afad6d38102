"""Nouns by what can be asked of them: professions, kinds of named things, units, measures; plural and singular forms."""

import re

PROFESSIONS = frozenset(
    """president king queen emperor empress writer author novelist poet playwright philosopher physicist chemist biologist
    mathematician astronomer engineer inventor architect painter sculptor artist composer musician singer songwriter actor
    actress director filmmaker producer politician statesman lawyer judge general admiral officer soldier explorer navigator
    scientist economist historian theologian priest bishop pope saint monk nun prophet journalist editor publisher
    businessman businesswoman entrepreneur industrialist banker physician doctor surgeon nurse psychologist psychiatrist
    sociologist anthropologist archaeologist linguist botanist zoologist naturalist geologist geographer cartographer
    astronaut cosmonaut pilot aviator footballer player athlete coach swimmer racer boxer wrestler cyclist golfer champion
    minister chancellor governor senator congressman mayor diplomat ambassador activist feminist revolutionary reformer
    scholar professor teacher educator lecturer librarian translator critic essayist biographer screenwriter cinematographer
    comedian dancer choreographer conductor pianist violinist guitarist drummer photographer designer programmer developer
    logician statistician leader ruler monarch prince princess duke earl count baron knight nobleman warlord pharaoh
    caliph sultan shah tsar dictator commander conqueror pirate spy mathematician meteorologist entomologist philanthropist
    missionary alchemist astrologer polymath humanist jurist orator rhetorician dramatist satirist illustrator cartoonist
    animator founder co-founder pioneer discoverer follower disciple pupil advocate opponent supporter indologist orientalist goddess god hero heroine nymph titan""".split()
)
NAMED_THINGS = (
    frozenset(
        """country state province territory city town village municipality capital county region island archipelago continent
    ocean sea river lake mountain volcano desert peninsula canal strait company corporation organization organisation
    association institute university college school museum agency party union club team league band orchestra newspaper
    magazine journal film movie novel novella poem play opera symphony album song series game software language framework library
    database protocol standard spacecraft rocket satellite mission ship aircraft locomotive bridge tower cathedral palace
    castle temple church prize award treaty war battle campaign conference festival holiday planet moon asteroid comet
    constellation galaxy star brand website browser utility tool program project package operating dynasty empire
    kingdom republic democracy emirate principality municipality""".split()
    )
    | PROFESSIONS
)
"""Nouns whose bearers have proper names: "X is a country" makes X a name."""

ORGANISATIONS = frozenset(
    """society company corporation university college institute institution committee commission council government
    parliament congress senate agency army navy association organization organisation union bank court church ministry
    department academy foundation consortium laboratory club party league team group federation firm""".split()
)

UNIT = (
    r"(?:(?:square|cubic|nautical) )?"
    r"(?:kilomet(?:re|er)s?|centimet(?:re|er)s?|millimet(?:re|er)s?|micromet(?:re|er)s?|nanomet(?:re|er)s?|met(?:re|er)s?"
    r"|miles?|feet|foot|yards?|inch(?:es)?|acres?|hectares?|litres?|liters?|gallons?|barrels?|tonnes?|tons?|kilograms?|grams?"
    r"|milligrams?|pounds?|ounces?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?(?: Celsius| Fahrenheit| C| F)?"
    r"|percent|per cent|knots?|watts?|kilowatts?|megawatts?|gigawatts?|volts?|amperes?|joules?|hertz|bits?|bytes?|kilobytes?"
    r"|megabytes?|gigabytes?|light-years?|people|inhabitants|km[²2]?|km/h|cm|mm|m[²2³3]?|kg|g|mg|t|ft|mi|mph|nm|µm|kW|MW|GW|kHz"
    r"|MHz|GHz|Hz|KB|MB|GB|TB|kPa|MPa|°C|°F|K|V|W|A|J|kJ|%|dB|ha|in|lb|oz)"
)
NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-(?:one|two|three|four|five|six|seven"
    r"|eight|nine))?"
)
NUMBER = (
    rf"(?:\d{{1,3}}(?:[,\u202f ]\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|{NUMBER_WORD}|a dozen|a hundred|a thousand|a million)"
    r"(?: (?:hundred|thousand|million|billion|trillion))?"
)
HEDGE = (
    r"(?:about|around|approximately|roughly|nearly|almost|over|under|at least|at most|up to|more than|less than|fewer than"
    r"|exactly|only|an estimated|an average of|between \S+ and|from \S+ to|some)"
)
MEASURES = frozenset(
    """width length height depth diameter radius circumference area population mass weight volume capacity speed velocity
    density elevation altitude temperature distance duration age size span thickness frequency wavelength voltage power
    energy pressure cost price budget salary revenue income rate output yield displacement draught draft beam range
    circulation enrollment attendance membership hardness viscosity albedo lifespan""".split()
)
MEASURE_PHRASES = frozenset(
    (
        "melting point", "boiling point", "freezing point", "atomic number", "atomic weight", "atomic mass", "surface area",
        "total area", "land area", "maximum depth", "average depth", "maximum speed", "top speed", "total length",
        "population density", "life expectancy", "half-life", "wingspan", "maximum height", "average temperature",
        "maximum length", "orbital period", "growth rate", "literacy rate", "birth rate", "birth weight",
    )
)  # fmt: skip
ATTRIBUTES = frozenset(
    """capital currency author architect director designer inventor founder symbol colour color chairman president
    motto nickname patron headquarters anthem""".split()
)
IRREGULAR_PLURALS = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "feet": "foot", "teeth": "tooth",
    "mice": "mouse", "geese": "goose", "bacteria": "bacterium", "criteria": "criterion", "phenomena": "phenomenon",
    "data": "datum", "media": "medium", "algae": "alga", "fungi": "fungus", "larvae": "larva", "nuclei": "nucleus",
    "species": "species", "fish": "fish", "sheep": "sheep", "deer": "deer", "cattle": "cattle", "police": "police",
    "aircraft": "aircraft", "series": "series", "axes": "axis", "bases": "basis", "analyses": "analysis",
    "matrices": "matrix", "vertices": "vertex", "leaves": "leaf", "wolves": "wolf", "lives": "life", "knives": "knife",
    "halves": "half", "shelves": "shelf", "loaves": "loaf", "thieves": "thief", "spacecraft": "spacecraft",
    "offspring": "offspring", "genera": "genus", "alumni": "alumnus", "stimuli": "stimulus", "formulae": "formula",
    "vertebrae": "vertebra", "antennae": "antenna", "strata": "stratum", "movies": "movie", "cookies": "cookie",
    "ties": "tie", "pies": "pie", "shoes": "shoe", "heroes": "hero", "potatoes": "potato", "tomatoes": "tomato",
    "volcanoes": "volcano", "echoes": "echo", "buses": "bus", "viruses": "virus", "gases": "gas", "lenses": "lens",
    "statuses": "status", "caches": "cache",
}  # fmt: skip
_SINGULAR_IN_S = re.compile(r"(?:ss|us|is|ics|as|os|news|mathematics|lens|chess|series|species)$")


def is_plural(noun: str) -> bool:
    """Whether a noun looks plural by its form; names ending in s may fool it."""
    low = noun.lower()
    return low in IRREGULAR_PLURALS or (
        low.endswith("s") and len(low) > 3 and not _SINGULAR_IN_S.search(low)
    )


def singular(noun: str) -> str:
    """The singular of a plural noun, by table or rule; a singular comes back as it is."""
    low = noun.lower()
    if low in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[low]
    if not is_plural(low):
        return noun
    if low.endswith("ies") and len(low) > 4:
        return noun[:-3] + "y"
    if low.endswith(("ches", "shes", "xes", "sses", "zes")):
        return noun[:-2]
    return noun[:-1]
