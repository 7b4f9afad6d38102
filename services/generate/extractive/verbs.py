"""Verb forms from tables: past to base, participle to past, gerund to base. A form outside the tables is never guessed."""

_IRREGULAR = """
arise arose arisen|bear bore borne|beat beat beaten|become became become|begin began begun|bend bent bent|bind bound bound
|bite bit bitten|blow blew blown|break broke broken|breed bred bred|bring brought brought|build built built
|burn burned burned|buy bought bought|cast cast cast|catch caught caught|choose chose chosen|come came come
|cost cost cost|cut cut cut|deal dealt dealt|dig dug dug|draw drew drawn|drink drank drunk|drive drove driven|eat ate eaten
|fall fell fallen|feed fed fed|fight fought fought|find found found|flee fled fled|fly flew flown|forbid forbade forbidden
|freeze froze frozen|get got got|give gave given|go went gone|grind ground ground|grow grew grown|hang hung hung
|hear heard heard|hide hid hidden|hit hit hit|hold held held|keep kept kept|know knew known|lay laid laid|lead led led
|leave left left|lend lent lent|lie lay lain|light lit lit|lose lost lost|make made made|meet met met|mow mowed mown
|overcome overcame overcome|overthrow overthrew overthrown|pay paid paid|put put put|read read read|rebuild rebuilt rebuilt
|ride rode ridden|ring rang rung|rise rose risen|run ran run|say said said|see saw seen|seek sought sought|sell sold sold
|send sent sent|set set set|shake shook shaken|shine shone shone|shoot shot shot|show showed shown|shut shut shut
|sing sang sung|sink sank sunk|sit sat sat|sleep slept slept|speak spoke spoken|spend spent spent|spin spun spun
|split split split|spread spread spread|stand stood stood|steal stole stolen|stick stuck stuck|strike struck struck
|swear swore sworn|sweep swept swept|swim swam swum|take took taken|teach taught taught|tear tore torn|tell told told
|think thought thought|throw threw thrown|understand understood understood|undertake undertook undertaken
|wear wore worn|weave wove woven|win won won|wind wound wound|withdraw withdrew withdrawn|write wrote written
|rewrite rewrote rewritten|foresee foresaw foreseen|oversee oversaw overseen|outlaw outlawed outlawed|sew sewed sewn
"""
_REGULAR = """
abandon abolish absorb accept accompany accuse achieve acquire activate adapt add address adjust administer admit adopt
advance advise affect agree aim allow alter amend analyze analyse announce annex appear apply appoint approve argue arrange
arrest arrive assassinate assemble assign assist associate assume attach attack attain attempt attend attract attribute
authorize award balance ban baptize base believe belong boil bomb boost borrow call cancel capture carry carve cause
celebrate change characterize charge check christen circumnavigate cite claim classify clean clear climb close coat coin collaborate
collapse collect colonize combine command commemorate commence commission compare compile complete compose compute conceive
conclude conduct confer configure confirm connect conquer consider consist consolidate constitute construct contain continue
contract contribute convert convict convince cook cool copy correct count cover crack crash create cremate criticize cross
crown cultivate cure cycle damage dam date declare decline decorate decrease dedicate defeat defend define delay delegate
deliver demolish demonstrate denote deploy deport deposit derive descend describe design destroy detect determine develop
devise devote diagnose die differ direct disable disappear discover discuss dismantle dismiss displace display dissolve
distinguish distribute divide divorce document dominate donate double draft drain dredge drop dry earn edit educate elect
eliminate embed employ enable enact encode encourage end endorse enforce engrave enlarge ensure enter equip erect erupt
escape establish estimate evaluate evolve examine excavate exceed exchange execute exhibit exile exist expand expel
explain exploit explore export expose express extend extract lock bolt clip pin tick hook book anchor transit face fail favor fill film filter finance finish fire fit fix
flood flow focus follow force form formalize formulate found fulfill fund gain gather generate govern graduate grant
group guarantee guard guide handle happen harvest heat help hire host identify illustrate implement import impose
imprison improve inaugurate include incorporate increase indicate influence inform inhabit inherit initiate insert
inspect inspire install integrate intend interpret introduce invade invent invest investigate invite involve isolate issue
join judge kill knight label lack land last launch learn liberate license limit link list load locate lower maintain
manage manufacture map mark marry match measure melt mention merge migrate mine mix modernize modify monitor mount move multiply murder
name navigate need nominate note number obtain occupy occur offer open operate oppose orbit order organize originate outline
own paint partition pass patent perform permit persuade photograph pioneer place plan plant play point polish pollinate
populate possess postulate practice praise predict prepare present preserve prevent print proclaim process produce
prohibit promote promulgate propose protect prove provide publish pump purchase purify push raise ratify reach react rebel receive
recognize recommend reconstruct record recover recruit recycle redesign reduce refer refine reflect reform refuse regain register
regulate reign reinforce reject relate release relocate rely remain remove rename renovate reopen repair repeal replace report
represent reproduce request require rescue research reserve reside resign resist resolve restore restrict result resume retain
retire retreat return reunite reveal revise revive revolve rotate rule sail satisfy save scan schedule score seal secure select
separate serve settle shape share sign signal simplify simulate situate solve sort sponsor stage start state station
stimulate store strengthen stretch structure study submit succeed suffer suggest supervise supply support suppress surrender
surround survey survive suspend tame target taste tend terminate test tie tour train transcribe transfer
transform translate transmit transport travel treat turn uncover unify unite unveil update upgrade urge use utilize
vaccinate validate value vary verify visit vote wait walk warn wash watch weigh widen wish witness work
yield boot compress decompress click configure customize debug delete download enable ensure fetch fold grease hang
insert invoke locate log navigate open paste pick pour press pull rebuild reboot refresh remove rinse run save screw scroll search
select shake slide specify squeeze stir stop switch tap tighten trim turn type uninstall unlock unplug unscrew untie
upload use verify view wipe wrap zip attach adjust align apply assign call contact drain drag dip dissolve empty fasten flip
enter follow hold inspect insulate lift loosen lubricate mark measure mix mount peel place plug position push reset replace review
rotate sand seal soak spray sterilize stretch weld
"""
_DOUBLING = frozenset(
    """admit ban commit confer dam drop equip expel fit map permit plan plug pop program refer rebel step stir stop strip
    submit tap transfer transmit trim trip unplug unwrap wrap zip scan flip dip drag log compel""".split()
)


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + (base[-1] if base in _DOUBLING else "") + "ed"


def _gerund(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + (base[-1] if base in _DOUBLING | _DOUBLING_IRREGULAR else "") + "ing"


_DOUBLING_IRREGULAR = frozenset(
    "begin cut dig forbid get hit put run set shut sit spin split swim win".split()
)


def _third(base: str) -> str:
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def _rows() -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for row in _IRREGULAR.replace("\n", " ").split("|"):
        base, past, participle = row.split()
        rows.append((base, past, participle))
    irregular = {base for base, _, _ in rows}
    rows.extend(
        (base, _past(base), _past(base)) for base in _REGULAR.split() if base not in irregular
    )
    return rows


ROWS = _rows()
BASES = frozenset(base for base, _, _ in ROWS)
BASE_OF_PAST = {
    past: base for base, past, _ in ROWS if past not in BASES or past in ("left", "saw", "ground")
}
BASE_OF_PAST |= {
    "founded": "found",
    "bound": "bind",
    "wound": "wind",
    "found": "find",
    "read": "read",
    "set": "set",
}
PAST_OF_PARTICIPLE = {participle: past for _, past, participle in ROWS}
PAST_OF_PARTICIPLE |= {"borne": "bore", "founded": "founded", "born": "was born"}
PARTICIPLES = frozenset(PAST_OF_PARTICIPLE) | {"born"}
BASE_OF_GERUND = {_gerund(base): base for base in sorted(BASES)}
BASE_OF_THIRD = {_third(base): base for base in sorted(BASES)}

CLEAR_THIRD = frozenset(
    """makes takes gives becomes provides allows requires contains includes consists seems appears occurs exists remains
    belongs depends refers says goes comes gets keeps knows lets brings begins describes represents follows receives creates
    determines defines explains indicates involves lacks maintains obtains performs possesses prevents protects relates
    removes replaces satisfies sends separates tends varies develops connects carries adds applies arises assumes believes
    builds chooses comprises has does measures weighs covers produces reduces serves enables ensures improves introduces
    suggests argues states uses generates converts absorbs reflects operates employs""".split()
)
"""Third-person forms that are hardly ever plural nouns, so that they end a subject."""
PLURAL_PRESENT = frozenset(
    "consist contain include comprise have require provide allow become occur exist depend belong refer do".split()
)
CLEAR_PAST = frozenset(
    """began became wrote took went gave knew came grew flew fought brought bought chose drove fell held kept met ran rose said
    sold sent sang sank spoke spent stood stole struck swam taught threw understood won withdrew died happened occurred
    appeared remained existed arrived belonged consisted contained included had made led built lost left""".split()
)

AGENTIVE = frozenset(
    """written built designed founded invented discovered created composed directed painted developed introduced proposed
    published established coined named launched proved produced led commanded conquered formulated constructed edited
    translated assassinated killed proclaimed drafted commissioned devised excavated patented pioneered sculpted choreographed
    drawn sung won hosted described adopted unveiled inaugurated opened financed funded signed recorded demonstrated isolated
    identified observed photographed illustrated defeated overthrown captured crowned murdered organized conceived
    engineered manufactured compiled filmed rebuilt restored renovated redesigned renamed carved engraved""".split()
)
"""Participles of deeds that someone does: "Who V-ed S?" makes sense of them."""
INTRANSITIVE = frozenset(
    """died began ended opened closed started retired collapsed crashed erupted resigned surrendered landed emerged
    disappeared sank""".split()
)
"""Pasts that make a full clause without an object: "When did S V?"."""


def is_participle(word: str) -> bool:
    """Whether the tables know ``word`` as a past participle."""
    return word in PARTICIPLES
