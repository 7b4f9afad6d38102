"""Number words of six languages as tables; read by ``numbers`` and by nothing else."""

from services.curate.stopwords import word_set

_EN = (
    "zero:0 one:1 two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 ten:10 eleven:11"
    " twelve:12 thirteen:13 fourteen:14"
    " fifteen:15 sixteen:16 seventeen:17 eighteen:18 nineteen:19 twenty:20 thirty:30 forty:40"
    " fifty:50 sixty:60"
    " seventy:70 eighty:80 ninety:90 hundred:100 thousand:1000 million:1000000 millions:1000000"
    " billion:1000000000"
    " billions:1000000000 trillion:1000000000000 dozen:12"
)
_EN_ORDINALS = (
    "first:1 second:2 third:3 fourth:4 fifth:5 sixth:6 seventh:7 eighth:8 ninth:9 tenth:10"
    " eleventh:11 twelfth:12"
    " thirteenth:13 fourteenth:14 fifteenth:15 sixteenth:16 seventeenth:17 eighteenth:18"
    " nineteenth:19 twentieth:20"
    " hundredth:100 thousandth:1000"
)
_DE = (
    "null:0 eins:1 ein:1 eine:1 einem:1 einen:1 einer:1 zwei:2 zwo:2 drei:3 vier:4 fünf:5 sechs:6"
    " sieben:7 acht:8 neun:9"
    " zehn:10 elf:11 zwölf:12 dreizehn:13 vierzehn:14 fünfzehn:15 sechzehn:16 siebzehn:17"
    " achtzehn:18 neunzehn:19"
    " zwanzig:20 dreissig:30 vierzig:40 fünfzig:50 sechzig:60 siebzig:70 achtzig:80 neunzig:90"
    " hundert:100 tausend:1000"
    " million:1000000 millionen:1000000 milliarde:1000000000 milliarden:1000000000"
    " billion:1000000000000"
    " billionen:1000000000000 dutzend:12"
)
_DE_ORDINALS = (
    "erst:1 zweit:2 dritt:3 viert:4 fünft:5 sechst:6 siebt:7 siebent:7 acht:8 neunt:9 zehnt:10"
    " elft:11 zwölft:12"
    " dreizehnt:13 vierzehnt:14 fünfzehnt:15 sechzehnt:16 siebzehnt:17 achtzehnt:18 neunzehnt:19"
    " zwanzigst:20"
)
_FR = (
    "zéro:0 un:1 une:1 deux:2 trois:3 quatre:4 cinq:5 six:6 sept:7 huit:8 neuf:9 dix:10 onze:11"
    " douze:12 treize:13"
    " quatorze:14 quinze:15 seize:16 vingt:20 vingts:20 trente:30 quarante:40 cinquante:50"
    " soixante:60 septante:70"
    " huitante:80 octante:80 nonante:90 cent:100 cents:100 mille:1000 million:1000000"
    " millions:1000000"
    " milliard:1000000000 milliards:1000000000 douzaine:12"
)
_FR_ORDINALS = (
    "premier:1 première:1 deuxième:2 second:2 seconde:2 troisième:3 quatrième:4 cinquième:5"
    " sixième:6 septième:7"
    " huitième:8 neuvième:9 dixième:10 onzième:11 douzième:12 treizième:13 quatorzième:14"
    " quinzième:15 seizième:16"
    " vingtième:20 centième:100"
)
_ES = (
    "cero:0 uno:1 un:1 una:1 dos:2 tres:3 cuatro:4 cinco:5 seis:6 siete:7 ocho:8 nueve:9 diez:10"
    " once:11 doce:12 trece:13"
    " catorce:14 quince:15 dieciséis:16 diecisiete:17 dieciocho:18 diecinueve:19 veinte:20"
    " veintiuno:21 veintiún:21"
    " veintidós:22 veintitrés:23 veinticuatro:24 veinticinco:25 veintiséis:26 veintisiete:27"
    " veintiocho:28"
    " veintinueve:29 treinta:30 cuarenta:40 cincuenta:50 sesenta:60 setenta:70 ochenta:80"
    " noventa:90 cien:100"
    " ciento:100 doscientos:200 doscientas:200 trescientos:300 trescientas:300 cuatrocientos:400"
    " quinientos:500"
    " seiscientos:600 setecientos:700 ochocientos:800 novecientos:900 mil:1000 millón:1000000"
    " millones:1000000"
    " docena:12"
)
_ES_ORDINALS = (
    "primero:1 primera:1 primer:1 segundo:2 segunda:2 tercero:3 tercera:3 tercer:3 cuarto:4"
    " cuarta:4 quinto:5 quinta:5"
    " sexto:6 sexta:6 séptimo:7 octavo:8 noveno:9 décimo:10"
)
_IT = (
    "zero:0 uno:1 un:1 una:1 due:2 tre:3 quattro:4 cinque:5 sei:6 sette:7 otto:8 nove:9 dieci:10"
    " undici:11 dodici:12"
    " tredici:13 quattordici:14 quindici:15 sedici:16 diciassette:17 diciotto:18 diciannove:19"
    " venti:20 trenta:30"
    " quaranta:40 cinquanta:50 sessanta:60 settanta:70 ottanta:80 novanta:90 cento:100 mille:1000"
    " mila:1000"
    " milione:1000000 milioni:1000000 miliardo:1000000000 miliardi:1000000000"
)
_PT = (
    "zero:0 um:1 uma:1 dois:2 duas:2 três:3 quatro:4 cinco:5 seis:6 sete:7 oito:8 nove:9 dez:10"
    " onze:11 doze:12 treze:13"
    " catorze:14 quatorze:14 quinze:15 dezesseis:16 dezasseis:16 dezessete:17 dezassete:17"
    " dezoito:18 dezenove:19"
    " dezanove:19 vinte:20 trinta:30 quarenta:40 cinquenta:50 sessenta:60 setenta:70 oitenta:80"
    " noventa:90 cem:100"
    " cento:100 duzentos:200 trezentos:300 quatrocentos:400 quinhentos:500 mil:1000 milhão:1000000"
    " milhões:1000000"
    " bilhão:1000000000 bilhões:1000000000"
)


def _table(text: str) -> dict[str, int]:
    return {word: int(value) for word, _, value in (item.partition(":") for item in text.split())}


CARDINALS: dict[str, dict[str, int]] = {
    "en": _table(_EN),
    "de": _table(_DE),
    "fr": _table(_FR),
    "es": _table(_ES),
    "it": _table(_IT),
    "pt": _table(_PT),
}
ORDINALS: dict[str, dict[str, int]] = {
    "en": _table(_EN_ORDINALS),
    "de": {
        f"{root}{ending}": value
        for root, value in _table(_DE_ORDINALS).items()
        for ending in ("e", "er", "en", "es", "em")
        if root != "acht" or ending != "en"
    },
    "fr": _table(_FR_ORDINALS),
    "es": _table(_ES_ORDINALS),
}
JOINS: dict[str, frozenset[str]] = {
    "en": frozenset({"and"}),
    "fr": frozenset({"et"}),
    "es": frozenset({"y"}),
    "pt": frozenset({"e"}),
}
"""Words that may stand between the parts of one number ("one hundred and five")."""

PAIRS = word_set(
    """
    both pair beide beiden beides paar deux ambos ambas entrambi entrambe ambos twice zweimal double
    """
)
"""Words that say two without a numeral."""

UNCOUNTED: dict[str, frozenset[str]] = {
    "en": frozenset({"one"}),
    "de": frozenset(["ein", "eine", "einem", "einen", "einer", "eins"]),
    "fr": frozenset({"un", "une"}),
    "es": frozenset({"uno", "un", "una"}),
    "it": frozenset({"uno", "un", "una", "sei"}),
    "pt": frozenset({"um", "uma"}),
}
"""Number words that are more often articles, pronouns or verbs; never asked of the source."""

_MONTHS = (
    "january januar janvier enero gennaio janeiro jan|february februar février febrero febbraio"
    " fevereiro feb|"
    "march märz mars marzo março|april avril abril aprile apr|may mai mayo maggio maio|june juni"
    " juin junio giugno junho|"
    "july juli juillet julio luglio julho|august août agosto aug|september septembre septiembre"
    " settembre setembro sept|"
    "october oktober octobre octubre ottobre outubro oct|november novembre noviembre novembro nov|"
    "december dezember décembre diciembre dicembre dezembro dec"
)
MONTHS: dict[str, int] = {
    name: number for number, names in enumerate(_MONTHS.split("|"), 1) for name in names.split()
}
"""Casefolded names in all languages to 1 ... 12."""

_UNITS = (
    "m metre metres meter meters mètre mètres metro metros metri metern|km kilometre kilometres"
    " kilometer kilometers kilometern"
    " kilomètre kilomètres kilómetro kilómetros chilometri quilômetros quilómetros|cm centimetre"
    " centimetres centimeter"
    " centimeters zentimeter zentimetern centimètre centimètres centímetro centímetros|mm"
    " millimetre millimetres millimeter"
    " millimeters millimetern millimètre millimètres milímetro milímetros|mile miles meile meilen"
    " milla millas|foot feet ft fuss|inch inches"
    " zoll|yard yards|µm micrometre micrometres micrometer micrometers mikrometer micromètres|nm"
    " nanometre nanometres"
    " nanometer nanometers nanomètres|kg kilogram kilograms kilogramm kilogramme kilogrammes"
    " kilogramos|g gram grams gramm"
    " gramme grammes gramos|mg milligram milligrams milligramm milligrammes|t tonne tonnes ton"
    " tons tonnen toneladas|pound"
    " pounds lb lbs pfund|litre litres liter liters litern litro litros|ml millilitre millilitres"
    " milliliter millilitern|hectare"
    " hectares ha hektar|second seconds sekunde sekunden seconde secondes segundo segundos|minute"
    " minutes min minuten"
    " minuto minutos|hour hours h stunde stunden heure heures hora horas|day days tag tage tagen"
    " jour jours día días|week"
    " weeks woche wochen semaine semaines semana semanas|month months monat monate monaten mois"
    " mes meses|year years jahr"
    " jahre jahren ans année années año años|decade decades jahrzehnt jahrzehnte décennie"
    " décennies|century centuries"
    " jahrhundert jahrhunderte jahrhunderten siècle siècles siglo siglos|% percent prozent"
    " pourcent|°c celsius|°f"
    " fahrenheit|kelvin|w watt watts|kw kilowatt kilowatts|mw megawatt megawatts|gw gigawatt"
    " gigawatts|v volt volts|hz hertz|khz"
    " kilohertz|mhz megahertz|ghz gigahertz|dollar dollars $ usd|euro euros € eur|pa pascal|bar"
    "|knot knots knoten|byte bytes octet octets|kb kilobyte"
    " kilobytes|mb megabyte megabytes|gb gigabyte gigabytes|degree degrees grad degrés grados ° deg"
)
UNITS: dict[str, int] = {
    name: n for n, names in enumerate(_UNITS.split("|")) for name in names.split()
}
"""Casefolded unit to a class of its synonyms."""
