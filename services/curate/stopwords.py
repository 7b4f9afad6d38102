"""Function words of eight languages: what says nothing of a text's subject.

A flat table, casefolded, with the pieces that an apostrophe leaves behind (``l``, ``don``, ``re``). Question words
and auxiliaries are in it; negations too, since the grounding check looks at them by itself.
"""

_EN = """
a about above across after again against ago all almost already also although always am among an and another
any anything are aren as at away back be became because become becomes been before being below between both
but by can cannot could couldn d did didn do does doesn doing don done down during each either else enough
ever every everything few for from further get gets give given gives had hadn has hasn have haven having he
hence her here hers herself him himself his how however i if in instead into is isn it its itself just least
less let like ll m made make makes many may me might mine more most much must mustn my myself near neither
never no nobody none nor not nothing now o of off often on once one ones only onto or other others otherwise
ought our ours ourselves out over own per perhaps quite rather re really s same shall she should shouldn since
so some something sometimes still such t than that the their theirs them themselves then there thereby
therefore these they this those though through throughout thus to together too toward towards under unless
until up upon us ve very via was wasn we well were weren what whatever when whenever where whereas whether
which while who whoever whole whom whose why will with within without won would wouldn yes yet you your yours
yourself
"""
_DE = """
ab aber alle allem allen aller alles als also am an andere anderen anderer anderes auch auf aus ausser bei
beim bereits bevor bin bis bist da dabei dadurch dafür dagegen daher dahin damit danach daneben dann daran
darauf daraus darf darin darum darunter darüber das dass davon davor dazu dein dem den denen denn dennoch der
deren des deshalb dessen desto die dies diese diesem diesen dieser dieses doch dort du durch durfte dürfen
ebenso eher ein eine einem einen einer eines einige einigen einiger einmal er erst es etwa etwas euch euer für
ganz gegen gegenüber genau gibt ging hab habe haben hat hatte hatten heute hier hierbei hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren ihrer ihres im immer in indem innerhalb ins insgesamt ist ja je jede jedem jeden
jeder jedes jedoch jene jenem jenen jener jenes jetzt kann kein keine keinem keinen keiner keines können
könnte könnten machen man manche mein mehr meist mich mir mit muss musste mussten möglich müssen nach nachdem
neben nein nicht nichts nie niemals niemand noch nun nur ob oben oder oft ohne sehr seid sein seine seinem
seinen seiner seines seit selbst sich sie sind so sobald sodass sofern sogar solche solchem solchen solcher
solches soll sollen sollte sollten somit sondern sonst sowie sowohl statt trotz um und uns unser unsere
unserer unter viel viele vielen vieler vom von vor wann war waren warum was weder weil weiter welche welchem
welchen welcher welches wem wen wenig weniger wenn wer werde werden wessen wie wieder wieso wieviel wir wird
wo wobei wodurch wofür womit woran woraus worin worden wohin woher wovon wozu während wurde wurden wäre wären
würde würden zu zum zur zwar zwischen über überhaupt
"""
_FR = """
a afin ai ainsi alors après as au aucun aucune aujourd auquel aura auront aussi autant autre autres aux
auxquelles auxquels avaient avait avant avec avez avoir avons ayant beaucoup bien c car ce ceci cela celle
celles celui cent cependant ces cet cette ceux chacun chacune chaque chez ci comme comment contre d dans de
depuis dernier derrière des dès deçà desquelles desquels dessous dessus devant devrait doit doivent donc dont
du duquel durant déjà elle elles en encore entre environ es est et étaient était étant été être eu eux faire
fait faut font grâce hors hui ici il ils j je jusqu jusque l la laquelle le lequel les lesquelles lesquels
leur leurs lors lorsqu lorsque lui là m ma mais malgré me même mêmes mes mien moi moins mon n ne ni non nos
notre nous on ont or ou où oui outre par parce parfois parmi pas pendant peu peut peuvent plus plusieurs
plutôt pour pourquoi pourrait pourtant presque puis puisqu puisque qu quand que quel quelle quelles quelqu
quelque quelques quels qui quoi s sa sans se selon sera serait seront ses si sien sinon soi soit son sont sous
souvent sur ta tandis tant te tel telle telles tels tes toi ton toujours tous tout toute toutes très trop tu
un une vers voici voilà vos votre vous vu y à combien
"""
_ES = """
a acerca además ahora al algo alguien algún alguna algunas alguno algunos allí ambos ante antes aquel aquella
aquellas aquello aquellos aquí así aún aunque bajo bien cada casi como cómo con contra cual cuál cuales cuáles
cualquier cuando cuándo cuanta cuánta cuántas cuanto cuánto cuántos cuya cuyo da de debe deben debido del
demás desde después donde dónde dos durante e el él ella ellas ellos embargo en entonces entre era eran eres
es esa esas ese eso esos esta está están estar estas este esto estos estaba fue fueron ha había habían haber
hace hacen hacer hacia han hasta hay incluso junto la las le les lo los luego más me mediante mejor menos mi
mientras mis misma mismas mismo mismos mucha muchas mucho muchos muy nada ni ningún ninguna ninguno no nos
nosotros nuestra nuestro nunca o otra otras otro otros para pero poco podía por porque pueda puede pueden pues
que qué quien quién quienes quiénes según sea sean ser si sí sido siempre siendo sin sino sobre sólo solo son
su sus tal tales también tampoco tan tanto te tener tiene tienen toda todas todavía todo todos tras través tu
tus u un una unas uno unos usted ustedes va vez y ya yo
"""
_IT = """
a abbia ad agli ai al alcuna alcune alcuni alcuno all alla alle allo allora altra altre altri altro anche
ancora appena aveva avevano avere bene c che chi ci ciascuna ciascuno ciò cioè coi col come con contro così
cosa cui d da dagli dai dal dall dalla dalle dallo davanti degli dei del dell della delle dello dentro deve
devono di dopo dove dov due dunque durante e è ed egli ella era erano essa esse essere essi esso fa fino fra
fu fuori furono già gli ha hanno ho i il in infatti inoltre invece io l la lei le li lo loro lui ma mai me
medesimo mediante meno mentre mi mia mio molta molte molti molto ne né negli nei nel nell nella nelle nello
nessun nessuna nessuno niente no noi non nostra nostro nulla o ogni oltre oppure ora ovvero per perché perciò
però più piuttosto poco poi poiché presso prima proprio può possono qual quale quali qualche quando quanta
quante quanti quanto quasi quel quell quella quelle quelli quello quest questa queste questi questo qui quindi
s se secondo sei senza si sia siano sé sempre solo sono sopra sotto sta stata state stati stato stesso stessa
su sua sue sugli sui sul sull sulla sulle sullo suo suoi tale tali tanto te ti tra tramite tu tua tuo tutta
tutte tutti tutto un una uno v verso vi viene vengono voi
"""
_PT = """
a à acerca agora aí ainda além algo alguém algum alguma algumas alguns ali ambos antes ao aos apenas após
aquela aquelas aquele aqueles aquilo aqui as às assim até através bem cada com como contra cuja cujo da das de
dela delas dele deles depois desde dessa desse desta deste deve devem do dois dos durante e é ela elas ele
eles em embora enquanto então entre era eram essa essas esse esses esta está estão estar estas estava este
estes eu exceto faz fazer fim foi foram for grande há isso isto já la lhe lhes lo logo mais mas me mediante
mesma mesmas mesmo mesmos meu minha muita muitas muito muitos na nada não nas nem nenhum nenhuma nessa nesse
nesta neste no nos nós nossa nosso num numa nunca o onde os ou outra outras outro outros para pela pelas pelo
pelos perante pode podem pois por porém porque porquê portanto pouco quais qual qualquer quando quanta quantas
quanto quantos quase que quê quem se seja sejam sem sempre sendo ser será seu seus si sido sob sobre sua suas
são só tais tal também tampouco tanto te tem têm tendo ter teu tinha toda todas todavia todo todos tu tua tudo
um uma umas uns vai você vocês vos
"""
_ZH = """
的 了 是 在 和 与 或 及 而 也 都 就 但 被 把 从 到 对 为 以 于 之 其 这 那 哪 个 些 什 么
吗 呢 吧 何 谁 有 没 不 会 能 可 着 过 很 更 最
"""
_JA = """
の は が を に で と も や へ か から まで より です ます する した して いる ある こと もの この
その それ これ あの どの どこ なに 何 なぜ いつ 誰 どう よう ため れる られる ない なる だ す し た
て い る あ ま れ っ さ
"""


def word_set(table: str) -> frozenset[str]:
    """The words of a table, casefolded."""
    return frozenset(table.casefold().split())


STOPWORDS: dict[str, frozenset[str]] = {
    "en": word_set(_EN),
    "de": word_set(_DE),
    "fr": word_set(_FR),
    "es": word_set(_ES),
    "it": word_set(_IT),
    "pt": word_set(_PT),
    "zh": word_set(_ZH),
    "ja": word_set(_JA),
}
"""By ISO 639-1 code."""
