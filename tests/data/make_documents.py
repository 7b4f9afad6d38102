"""Writes the demo's PDF and Word documents from the prose below; running it again gives the same bytes.

Run from the project's root: ``python tests/data/make_documents.py [folder]``. Never run by the demo itself, which
reads the files as they are committed.
"""

import io
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import docx
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    ListFlowable,
    ListItem,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

WHEN = datetime(2026, 1, 1, tzinfo=UTC)

# A document is a list of blocks: (kind, its paragraphs, items or rows).
Source = list[tuple[str, list[str]]]

PANAMA = """
= The Panama Canal

The Panama Canal is an artificial waterway that connects the Atlantic Ocean with the Pacific Ocean
across the Isthmus of Panama. The canal is about 82 km long. A ship needs 8 to 10 hours for the
passage. The canal is operated by the Panama Canal Authority, an agency of the government of
Panama.

A ship that sails from New York to San Francisco by the canal travels about 9,500 km. The route
around Cape Horn is about 22,500 km long, and it leads through some of the roughest waters of the
world.

The French attempt > 2
Construction by the United States > 2
The locks > 2
The waterway > 3
How a ship passes the Gatun locks > 3
Treaties and transfer > 3
Questions > 3
Terms > 3

== The French attempt

The Panama Railroad was opened on 28 January 1855. It crossed the isthmus long before the canal
and later carried away the earth that was dug from it.

France began work on a canal at sea level in 1881. The company was led by Ferdinand de Lesseps,
who had built the Suez Canal. It went bankrupt in 1889, after some 22,000 workers had died of
yellow fever, malaria and accidents. A canal at sea level was impractical because the Chagres
River floods in the rainy season and the hills of the Culebra ridge kept sliding into the
excavation.

== Construction by the United States

The Hay–Bunau-Varilla Treaty was signed on 18 November 1903. It gave the United States a zone of
land across the isthmus, 16 km wide. The United States took over the works on 4 May 1904.

The first chief engineer was John Findley Wallace, who resigned after a year. His successor, John
Frank Stevens, rebuilt the railroad and argued for a canal with locks. The canal was completed
under George Washington Goethals, an officer of the Army Corps of Engineers.

The campaign against yellow fever was led by William Crawford Gorgas, an army physician. His men
drained pools, screened windows and fumigated houses, because the disease is carried by a
mosquito. Yellow fever had disappeared from the Canal Zone by 1906.

The Panama Canal was opened on 15 August 1914. The first official passage was made by the SS
Ancon. The construction had cost the United States about 375 million dollars, and 5,609 workers
had died of disease and accidents since 1904.

== The locks

A canal lock is a chamber with gates at both ends, in which a ship is raised or lowered between
two levels of water. The locks of the Panama Canal lift ships from the sea to Gatun Lake, which
lies about 26 m above sea level, and lower them again on the other side. The chambers are filled
by gravity alone, without pumps.

Lock | Width (m) | Length (m) | Steps | Opened
Gatun | 33.5 | 320 | 3 | 1914
Pedro Miguel | 33.5 | 320 | 1 | 1914
Miraflores | 33.5 | 320 | 2 | 1914
Agua Clara | 55 | 427 | 3 | 2016
Cocolí | 55 | 427 | 3 | 2016

The expanded canal was opened on 26 June 2016. Its two new lock complexes, Agua Clara on the
Atlantic side and Cocolí on the Pacific side, take ships that are too wide for the locks of 1914.
Each of the new complexes consists of three chambers and nine water-saving basins. The basins
reuse 60 percent of the water of each transit. The gates of the new locks slide sideways, while
those of the old locks swing on hinges.

The largest ships that fit the locks of 1914 are known as Panamax ships. A Panamax ship is at most
294.1 m long and 32.3 m wide. In the old locks, ships are held in the middle of the chamber by
electric locomotives, which are known as mules. In the new locks, this is done by tugboats.

== The waterway

Gatun Lake is an artificial lake that was made by damming the Chagres River. It covers about 425
square kilometres. The lake was the largest artificial lake in the world when it was filled in
1913. It supplies the water for the locks and also drinking water for Panama City and Colón.

The Culebra Cut is an artificial valley that carries the canal through the continental divide. It
is about 13 km long. The cut was for many years named after David du Bose Gaillard, the engineer
who had directed the work there.

A passage through the old locks uses about 200,000 cubic metres of fresh water, which flows into
the sea. In 2023, the number of passages was reduced because a drought had lowered Gatun Lake.

== How a ship passes the Gatun locks

+ Take a canal pilot on board before the ship reaches the approach wall.
+ Fasten the cables of the locomotives to the ship.
+ Enter the lowest chamber and close the gates behind the ship.
+ Open the valves, so that water from the chamber above raises the ship.
+ Open the upper gates and move the ship into the next chamber.
+ Repeat the last three steps until the ship has reached the level of Gatun Lake.

== Treaties and transfer

The Torrijos–Carter Treaties were signed on 7 September 1977 in Washington. They were negotiated
by the governments of Omar Torrijos and Jimmy Carter. The treaties provided for the handover of
the canal and guaranteed its neutrality. Panama took full control of the canal on 31 December
1999.

The Bridge of the Americas was opened on 12 October 1962. It was the first bridge that crossed the
canal at a height which ships can pass. The Smithsonian Tropical Research Institute (STRI) has
studied Barro Colorado Island, a former hilltop in Gatun Lake, for a century.

== Questions

=== What was the lowest toll ever paid?

The lowest toll was 36 cents. It was paid by Richard Halliburton, an American writer, who swam
through the canal in 1928.

=== In which direction do ships cross the isthmus?

Ships cross the isthmus from north-west to south-east when they sail from the Atlantic to the
Pacific, since the isthmus bends at this place. The Pacific entrance lies further east than the
Atlantic entrance.

== Terms

* Beam: the greatest width of a ship
* Draught: the depth of a ship below the waterline
* Transit: the passage of a ship through the whole canal
* Mitre gate: a pair of hinged leaves that meet at an angle and are pressed together by the water

% Copyright 2026 the Gristmill contributors. This text may be used under the Apache License 2.0.
All trademarks belong to their owners. Contact: docs@example.org.
"""

BEES = """
= Honey bees

The western honey bee is a social insect that lives in colonies and stores honey for the winter.
Its scientific name, Apis mellifera, was given by Carl Linnaeus in 1758. People have kept honey
bees for thousands of years, for their honey, for their wax and for the pollination of crops.

== The colony

A colony consists of one queen, several hundred drones and thousands of workers. In summer a
strong colony has about 50,000 bees. The queen is the only fertile female of the colony. She can
lay up to 2,000 eggs a day in early summer. The drones are males, and their only task is to mate
with young queens from other colonies. The workers are females that do all the work of the hive.

A worker has five eyes, two large compound eyes and three simple ones. In summer a worker lives
for about six weeks, and in winter for several months. Young workers clean cells, feed larvae and
build comb; older ones leave the hive as foragers. The temperature of the brood nest is kept at
about 35 degrees Celsius.

Caste | Development time (days) | Sex
queen | 16 | female
worker | 21 | female
drone | 24 | male

== Comb and honey

Honeycomb is a mass of six-sided cells that worker bees build from wax. The wax is made by four
pairs of glands on the underside of the worker's abdomen. The hexagon divides a plane into equal
areas with the least total length of walls. This honeycomb conjecture was proved by Thomas Hales
in 1999.

Honey is a sweet food that bees make from nectar. Fresh nectar is mostly water. It becomes honey
because the bees add enzymes and fan their wings over the open cells until most of the water has
gone. Ripe honey contains less than 20 percent water, so that yeasts cannot grow in it. The
finished cells are closed with a lid of wax.

The main products of the hive:

- Honey, the store of food for the winter
- Beeswax, used for candles, polish and cosmetics
- Propolis, a resin with which bees seal gaps
- Royal jelly, the food of queen larvae
- Pollen, the colony's source of protein

== The language of dances

The waggle dance is a figure-of-eight movement by which a forager tells other bees where food is.
The angle between the waggle run and the vertical equals the angle between the food and the sun.
The length of the run shows the distance: a run of one second stands for roughly one kilometre.
The meaning of the dance was decoded by Karl von Frisch, an Austrian zoologist. He received the
Nobel Prize in Physiology or Medicine in 1973, together with Konrad Lorenz and Nikolaas Tinbergen.

== Hives

A beehive is a container that people provide for a colony of honey bees. The leaf hive was
invented by François Huber in 1789. Huber was blind, and his servant François Burnens made the
observations for him.

Bee space is a gap of 6 to 9 millimetres that bees leave open as a passage. They fill smaller gaps
with propolis and larger ones with comb. The Langstroth hive was patented on 5 October 1852. It is
named after Lorenzo Langstroth, a clergyman in Philadelphia. Its frames can be lifted out without
breaking the comb, since there is a bee space on every side of them.

== Diseases and pests

Varroa destructor is a mite that feeds on honey bees and spreads viruses among them. The mite was
first found in the United States in 1987. American foulbrood is a disease of the larvae that is
caused by the bacterium Paenibacillus larvae. Infected hives are often burned because the spores
survive for decades.

Colony Collapse Disorder (CCD) is the sudden loss of most workers of a colony. It was first
reported in the United States in the winter of 2006. Integrated Pest Management (IPM) combines
several methods, so that chemicals are needed as little as possible.

== How to light a smoker

+ Crumple a sheet of newspaper and light it.
+ Push the burning paper to the bottom of the smoker.
+ Pump the bellows until the flame is steady.
+ Add dry grass or pine needles, a little at a time.
+ Close the lid when thick and cool smoke comes out.

Smoke calms the bees because it hides the scent with which they give the alarm. It also makes them
fill themselves with honey.

== Questions and answers

=== When is World Bee Day?

World Bee Day is held on 20 May. It was proclaimed by the United Nations in 2017. Anton Janša, a
pioneer of beekeeping from Slovenia, was born on 20 May 1734.

=== Do honey bees die when they sting?

A worker dies after she has stung a mammal, because her barbed sting stays in the skin. She can
sting other insects without harm to herself.

== Glossary

* Brood: the eggs, larvae and pupae of a colony
* Nectar: a sugary liquid that flowers offer to insects
* Pollen basket: a fringe of hairs on the hind leg in which a worker carries pollen
* Super: a box of frames that is placed above the brood nest for the honey
* Swarm: a queen and part of her workers that have left the hive to found a new colony

% Copyright 2026 the Gristmill contributors. Apache License 2.0. Contact: docs@example.org.
"""

_MARKS = {
    "= ": "title",
    "== ": "h1",
    "=== ": "h2",
    "% ": "small",
    "+ ": "steps",
    "- ": "bullets",
    "* ": "terms",
}


def read_source(text: str) -> Source:
    """Blocks parted by empty lines; an item goes on in lines that begin with two blanks."""
    out: Source = []
    for block in text.strip().split("\n\n"):
        mark, _, _ = block.partition(" ")
        kind = _MARKS.get(mark + " ", "p")
        if kind == "p" and " | " in block:
            out.append(("table", block.split("\n")))
        elif kind == "p" and " > " in block:
            out.append(("contents", block.split("\n")))
        elif kind in {"steps", "bullets", "terms"}:
            items = f"\n{block}".split(f"\n{mark} ")[1:]
            out.append((kind, [" ".join(item.split()) for item in items]))
        else:
            out.append(
                (kind, [" ".join(block.removeprefix(f"{mark} " if kind != "p" else "").split())])
            )
    return out


def _styles() -> dict[str, ParagraphStyle]:
    sheet = getSampleStyleSheet()
    body = ParagraphStyle(
        "body", parent=sheet["BodyText"], fontSize=10.5, leading=14, alignment=TA_JUSTIFY
    )
    return {
        "title": ParagraphStyle("t", parent=sheet["Title"], fontSize=24, leading=30),
        "h1": ParagraphStyle("h1", parent=sheet["Heading1"], fontSize=16, leading=20),
        "h2": ParagraphStyle("h2", parent=sheet["Heading2"], fontSize=13, leading=17),
        "p": body,
        "small": ParagraphStyle("small", parent=body, fontSize=8, leading=10, spaceBefore=24),
        "item": ParagraphStyle("item", parent=body, spaceAfter=2),
    }


def _flowables(source: Source) -> list[Flowable]:
    styles = _styles()
    out: list[Flowable] = []
    for kind, content in source:
        if kind in styles:
            out += [Paragraph(text, styles[kind]) for text in content]
        elif kind == "table":
            grid = Table([row.split(" | ") for row in content], hAlign="LEFT")
            bold = ("FONT", (0, 0), (-1, 0), "Helvetica-Bold")
            grid.setStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.grey), bold])
            out += [Spacer(1, 6), grid, Spacer(1, 10)]
        elif kind in {"steps", "bullets"}:
            items = [ListItem(Paragraph(text, styles["item"])) for text in content]
            form = {"bulletType": "1", "bulletFormat": "%s."} if kind == "steps" else {"start": "•"}
            out.append(ListFlowable(items, **form))
        elif kind == "contents":
            out.append(Paragraph("Contents", styles["h1"]))
            out += [Paragraph(_led(row), styles["item"]) for row in content]
            out.append(PageBreak())
        elif kind == "terms":
            for term, _, text in (row.partition(": ") for row in content):
                out.append(Paragraph(f"<b>{term}</b>: {text}", styles["p"]))
    return out


def _led(row: str) -> str:
    """An entry of the contents, with dots up to its page number."""
    text, page = row.split(" > ")
    return f"{text} {'.' * (70 - len(text))} {page}"


def pdf_bytes(source: Source) -> bytes:
    """A PDF of A4 pages with a running head and page numbers; reportlab's invariant mode fixes dates and ids."""
    title = source[0][1][0]

    def frame(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(2.5 * cm, A4[1] - 1.3 * cm, f"{title} – a short reference")
        canvas.drawRightString(A4[0] - 2.5 * cm, 1.2 * cm, f"Page {document.page}")

    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        title=title,
        author="Gristmill",
        leftMargin=2.5 * cm,
        rightMargin=2.5 * cm,
        topMargin=2.2 * cm,
        bottomMargin=2.2 * cm,
        invariant=1,
    )
    document.build(_flowables(source), onFirstPage=frame, onLaterPages=frame)
    return buffer.getvalue()


def docx_bytes(source: Source) -> bytes:
    """A Word document with real styles, lists and tables; its dates are fixed, and so are its archive's."""
    document = docx.Document()
    core = document.core_properties
    core.title, core.author, core.comments = source[0][1][0], "Gristmill", ""
    core.created = core.modified = WHEN
    for kind, content in source:
        if kind in {"title", "h1", "h2"}:
            document.add_heading(content[0], {"title": 0, "h1": 1, "h2": 2}[kind])
        elif kind in {"steps", "bullets"}:
            for text in content:
                document.add_paragraph(text, "List Number" if kind == "steps" else "List Bullet")
        elif kind == "table":
            rows = [row.split(" | ") for row in content]
            grid = document.add_table(len(rows), len(rows[0]))
            for row, cells in zip(grid.rows, rows, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        elif kind == "terms":
            for term, _, text in (row.partition(": ") for row in content):
                paragraph = document.add_paragraph()
                paragraph.add_run(term).bold = True
                paragraph.add_run(f": {text}")
        else:
            document.add_paragraph(content[0])
    buffer = io.BytesIO()
    document.save(buffer)
    return _with_fixed_dates(buffer.getvalue())


def _with_fixed_dates(data: bytes) -> bytes:
    """The same archive, its members in order and dated 1980, so that the bytes depend on the content only."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


MADE: dict[str, Callable[[], bytes]] = {
    "panama-canal.pdf": lambda: pdf_bytes(read_source(PANAMA)),
    "honey-bees.docx": lambda: docx_bytes(read_source(BEES)),
}


def main(folder: Path) -> None:
    for name, make in MADE.items():
        (folder / name).write_bytes(make())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("documents"))
