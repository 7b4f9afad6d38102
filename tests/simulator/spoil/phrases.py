"""Wordings with which ``defects`` spoils entries. Lists only; several for each defect, so that none can be learnt."""

META_BEFORE = (
    "According to the passage", "According to this article", "Based on the document", "In the given text",
    "As mentioned in the section", "Based on the provided excerpt", "From the above text", "In this chapter",
)  # fmt: skip
META_AFTER = (
    "according to the text", "in the passage", "as stated in the document", "in this article",
    "based on the provided text", "as described in the excerpt", "according to the author", "in the table above",
)  # fmt: skip
META_ANSWER = (
    "According to the passage", "As mentioned in the text", "As the author states in this article",
    "Based on the provided document", "As shown in the table", "In Section 3.2", "As stated on page 12",
)  # fmt: skip
PRONOUNS = ("it", "they", "this", "the former")
DANGLING = (
    "What is it used for?", "When was it first built?", "Why did they do this?", "What does this consist of?",
    "Who was he working for?", "How long is it in total?", "Why is this so important?",
    "What was the former made of?", "Where are they usually found?", "What is the structure made of?",
)  # fmt: skip
UNDERSPECIFIED = (
    "What happened after that was done?", "What else is there to know?", "How is something like that done?",
    "What is being done and why so?", "Who did what and to whom?", "What was there before then?",
    "Why is that so, more or less?", "When does one do so at all?",
)  # fmt: skip
STRANGE = (
    "Seven pelicans negotiated a mortgage with the retired beekeeper of Ostrava.",
    "Velvet umbrellas were auctioned quietly beneath the abandoned planetarium.",
    "Nobody had tuned the harpsichord since the orchard flooded during Lent.",
    "Purple gravel fetched double its price whenever the choir rehearsed outdoors.",
)
NAMES = (
    "Zbigniew Harrowgate",
    "Ottoline Vasquez",
    "Port Merriweather",
    "Quillfeldt",
    "Lake Tarvanen",
)
CLAIMS = (
    "It also won a gold medal at the Zagreb exhibition of 1837.",
    "Its inventor, Ottoline Vasquez, never received any royalties.",
    "Roughly 64 percent of its visitors arrive by hovercraft.",
    "A plague of locusts destroyed most of the original blueprints.",
    "Scientists from Port Merriweather later proved it dangerous for children.",
)
FOREIGN = (
    ("Wann wurde das Bauwerk eigentlich eröffnet, und wer war dabei?",
     "Das Bauwerk wurde nach langen Jahren der Arbeit im Sommer feierlich eröffnet."),
    ("Pourquoi les habitants ont-ils choisi cette méthode de construction ?",
     "Les habitants ont choisi cette méthode parce qu'elle était simple et peu coûteuse."),
    ("¿Cuáles son las partes principales de esta máquina antigua?",
     "La máquina antigua se compone de varias partes que trabajan juntas todos los días."),
    ("Qual è la funzione principale di questo strumento nella vita quotidiana?",
     "Lo strumento serve soprattutto per misurare la distanza tra due punti lontani."),
)  # fmt: skip
TRIVIA = (
    "Who is the publisher of the handbook?", "What is the ISBN of the second edition?",
    "How many sections does the manual have?", "On which page does the introduction begin?",
    "Who wrote the foreword to the first edition?", "In which year was the copyright registered?",
    "What is the contact address of the editors?", "Who are the authors of the report?",
)  # fmt: skip
SECOND_QUESTIONS = (
    "who was responsible for it", "why did that happen", "how much did it cost", "where was it found",
    "when did this come to an end", "what was the reason for it",
)  # fmt: skip
REFUSALS = (
    "As an AI language model, I cannot answer this question.",
    "I'm sorry, but I can't help with that request.",
    "I cannot provide an answer to this question.",
    "As an AI, I do not have access to that information.",
    "I am unable to answer because I do not have enough information.",
    "Sorry, I can't assist with that.",
)
CHATTER = ("Sure! Here is the answer:", "Certainly! Here's what you need:", "Of course, here you go:",
           "Great question!", "Here is the answer you asked for:")  # fmt: skip
