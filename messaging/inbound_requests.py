"""A request for silence as a sentence makes it: a verb of stopping and what is to stop, whatever stands between.

Part of messaging/inbound_grammar.py. Each word is read as one letter for what it does in the sentence, and the
forms below are sentences of such letters. The words of other languages stand beside the English ones, without
their accents: a phone answers in the language of its owner, not of its country.
"""

import re
import unicodedata

# One letter for each word, the first class that knows it. A word that ends in "*" stands for all that begin so.
# English, French, Spanish, German, Italian, Portuguese, Dutch, Malay and Indonesian.
_CLASSES: dict[str, str] = {
    # courtesy, insistence and what a dictated text says of its points; not read
    "": """please pls plz plse kindly thanks thank thx ty sorry hi hello hey dear now already ok okay ever
        again anymore bye guys mate dude man lol ffs omg ugh lah leh liao asap immediately completely altogether
        permanently forever forthwith period comma exclamation bitte danke svp merci gracias favor por bonjour
        hola prego grazie obrigado s'il plait jamais surtout gleich sofort tolong sila mohon lagi kasih""",
    # stop doing it
    "C": """stop stopp stoop stp stpo sotp stahp stawp stopping quit quitting cease ceasing desist discontinue
        discontinuing halt refrain knock kill chill arreter arretez arrete cessez cesser stoppez dejen deje dejar paren
        pare parem deixem smettete smettetela stoppen stoppt aufhoren beenden henti hentikan berhenti
        berhentikan""",
    # end it, which is also said of bookings
    "M": """cancel end disable deactivate terminate suspend mute silence annuler annulez desactivez desactiver
        cancelar cancelen cancele anular anulen desactivar desactiven kundigen stornieren batal batalkan""",
    # turn, switch: with "off"
    "J": "turn switch shut turning switching",
    "O": "off",
    "K": "take taking keep leave pull scratch cross nehmen nehmt",
    "g": "get getting",
    # leave the list
    "U": """unsubscribe unsub unregister deregister unenroll unlist delist desabonn* desinscri* desuscri* desapunt*
        abmelden abbestell* austragen disiscri* descadastr* afmelden uitschrijven""",
    # take away
    "D": """remove delete erase strike exclude purge wipe scrub suppress removing deleting supprim* retirez*
        retirer* enlev* effac* elimin* borr* quiten quitar losch* streich* entfern* rimuov* verwijder* apaguem
        removam rid cancellatemi cancellami toglietemi quitenme saquenme buang padam padamkan keluarkan hapus""",
    # the list one stands on
    "E": """list lists database system contacts directory mailout lista listas liste fichier lijst verteiler
        senarai daftar""",
    # write to us; needs no object
    "S": """text texting texing txt txting txtin message messaging msg msging spam spamming contact contacting
        contacted texted messaged advertise advertising kontaktier* contactez contacter contacten hubungi""",
    # send; needs one
    "V": """send sending sendin sned snd write writing push pushing email emailing blast blasting give gave giving
        envoy* ecri* envi* mand* escrib* schick* send* schreib* inviat* scrivet* stuur* hantar
        kirim""",
    # bother; needs somebody
    "H": """bother bothering harass harassing disturb disturbing pester pestering annoy annoying bug bugging
        notify notifying blow blowing flood flooding clogging buzzing hounding badgering nag nagging hassle
        hassling derang* molest* belastig* ganggu kacau""",
    # what is sent
    "T": """texts txts messages msgs ads adverts advertisements promos promo promotions promotion promotional
        marketing notifications notification alerts alert offers deals specials flyers coupons newsletter*
        mailing mailings subscription subscriptions sms updates communication communications correspondence
        campaigns blasts solicitations reminders junk pub pubs publicite* textos mensaje* publicidad promocion*
        suscripcion* abonnement* nachricht* werbung benachrichtigung* messaggi pubblicita mensagen* anuncios
        berichten reclame notificacion* mesej pesanan iklan promosi pemberitahuan notifikasi langgan langganan""",
    # get
    "R": """receive receiving recieve recieving hear hearing see recev* recib* empfang* erhalt* bekomm* ricever*
        receb* ontvang* terima dapat""",
    # a wish
    "W": """want wants wanna wan wish wishes need needs like care interested rather prefer agree consent consenting
        participate permission veux voulons souhaite besoin envie quiero queremos deseo necesito mochte wollen
        voglio quero wil nak mahu mau ingin perlu""",
    "N": """don't dont doesn't doesnt not never nolonger ne n' keine kein nicht non nao geen niet without cannot
        dun pas nunca nie jangan jgn tak tidak xnak taknak""",
    "Z": "no",
    "0": "nothing nichts nada niente rien",
    "Q": "why",
    # the one who writes
    "X": """me m' us number phone cell mobile name details info data moi mich mir uns nos numero* telephone telefono
        nummer coordonnees datos nome nombor nomor saya sy aku kami""",
    # points at what came
    "P": "this that these those it them everything anything ca cela esto eso das",
    # may stand between a verb and what it is about
    "d": """the my his her their our your ur all any of from to more further such a an so many daily weekly constant
        here mon ma mes vos votre ce ces mi mis su sus este esta tu de des les la el los las sie vous ihr mein*
        dies* il mio minha mijn plus mas mais mehr meer piu in being be with w for dalla dal dem den untuk kepada ke dari daripada
        semua sebarang""",
    # the shop's business, which a stopping verb may be about as well
    "B": """appointment appointments appt booking bookings reservation order orders table class classes lesson
        lessons session waitlist wait-list waiting wait queue room stay ticket tickets delivery parcel package bill
        invoice fee charge account membership card contract event party game team item items cart basket review
        photo photos payment payments refund water alarm noise drilling music check cheque transfer locker
        autopay rendez-vous commande cita pedido reserva termin bestellung guest guests seat seats old
        temujanji tempahan""",
    "G": "by at over near outside before after light sign around",
    "I": "i i'm im you u we i've ive they ich je yo",
    "Y": "can could would will just must should gotta",
    "h": "say saying said told asked texted replied sent typed",
    "e": "done sick tired enough fed marre assez harto harta genug satt stufo stufa bosan basta chega",
    "r": "or nor",
    "F": "out raus aus",
    "A": "and but then because so if when miss lose missing forget hesitate fail lupa olvid*",
}


def _read_classes() -> tuple[dict[str, str], list[tuple[str, str]]]:
    exact: dict[str, str] = {}
    stems: list[tuple[str, str]] = []
    for letter, words in _CLASSES.items():
        for word in words.split():
            if word.endswith("*"):
                stems.append((word[:-1], letter))
            else:
                exact.setdefault(word, letter)
    return exact, stems


_EXACT, _STEMS = _read_classes()

_FORMS = re.compile(
    "|".join(
        [
            r"C[^ABNG]{0,4}[SVHTU]|C[dP]{0,2}g[dP]{0,2}[PT]",  # stop sending; quit with all the ads; desist from contacting me
            r"^C[IX]",  # stop I asked you twice
            r"M[dPXSV]{0,4}T|M[dPX]{1,3}[ST]",  # cancel all of these notifications
            r"JO[dPXSV]{0,3}T|J[dPXSV]{0,3}TO",  # turn off the alerts; turn the alerts off
            r"(?:N[oIX]{0,2}|Zo?)W[dPXI]{0,3}(?:[RgSVH][^ABG]{0,4}(?:T|$)|[ST])",  # do not wish to receive any more messages
            r"WNd?[RgSVH][^ABG]{0,4}(?:T|X|$)",  # would rather not get these messages
            r"[NZ]o?W[doP]{0,3}T",  # not interested in your crazy offers
            r"(?<![QAI])(?<!Id)N(?:or|X)?S(?:d?X|P|T|$)",  # do not text this
            r"(?<![QA])N[oXd]?H[dP]{0,2}X",  # never bother us
            r"(?<![QA])N[oXd]{0,3}V[oXPd]{0,5}T",  # don't send me any of your stupid texts
            r"ZX[SVH](?:[oXPd]{0,3}T|o*$)|Z[SV][od]{0,3}T",  # no me manden publicidad
            r"^[oIX]{0,3}[NZ][od]?[od]?T[od]?$",  # no more texts
            r"D[dP]{0,3}X(?!.*B)|Dd{1,2}S$",  # delete this phone number
            r"D[dPXo]{0,5}E(?!.*B)|[OF][dP]{0,3}E(?!.*B)",  # remove from your list; off the list
            r"[WV][dP]{0,3}(?:P|T)dC",  # I want these to stop
            r"N[VIgX]{0,3}W[dI]{0,2}S[XP]",  # never gave you permission to text me
            r"IhI?[dX]?C(?!G)|[IY]odhC$",  # I said stop; how often do I have to say stop
            r"[TP]d?[YW]d?[CM]$",  # these texts need to stop
            r"0d?X?[VR]|[VR][Xd]{0,2}0",  # nichts mehr schicken
            r"W[XI]?N(?:d{1,3}|d?0)(?:[PTR]|V)|^(?:[Io]Y)?N[dX]{0,2}T(?:d{0,2}[RV]|d$)",  # je ne veux plus de pub; keine SMS mehr senden
            r"^N[dX]{0,2}TX?$|^d?S?TO$",  # jangan sms saya; texts off
            r"Z[WdI]{1,3}K?d?I?S(?:X|P|T|$)",  # no need to keep texting me
            r"(?:^|A)[IoYX]{0,3}Wd?(?:F|O)(?:[dP]{1,3}[PTE]?)?$",  # I want out of these messages
            r"[KgF][odYI]{0,4}[FO]d{1,2}P?T",  # how do I get out of these messages
            r"e[doP]{0,3}T",  # done with these texts
            r"[Kg][dPo]{0,3}X{1,2}[OF](?!.*B)",  # take me off
            r"(?<!B)U(?!B)",
        ]
    )
)
_POINTER = re.compile(
    r"^[AIXYd]{0,4}C(?:P|$)|(?<![INQ])D$"
)  # stop this: unless the text speaks of other business
_PLEA = re.compile(r"^[AIoYd]{0,3}(?:[KgD][PXd]{1,3}[FO]?|W[dP]?[FO])$")
_OF_TEXTS = re.compile(r"[ST]|[Vg]I?dX$")
_DENIED = re.compile(r"N[oIXY]?[CMDUKOh]|N[oIX]?W[dI]{0,2}[CMDU]")
_CLAUSE = re.compile(r"[.!?;,\n:…~()]+|\s[-–—]+\s|—")


def asks_to_stop(text: str) -> bool:
    """`text` normalised and in lower case; whether it denies stopping is asked elsewhere."""
    clauses = [letters for clause in _CLAUSE.split(_unaccented(text)) if (letters := _letters(clause))]
    if len(clauses) > 2 and max(map(len, clauses)) == 1:  # Take. Me. Off.
        clauses = ["".join(clauses)]
    has_business = any("B" in letters for letters in clauses)
    if not has_business and _pleads(clauses):
        return True
    return any(
        not _DENIED.search(letters)
        and bool(_FORMS.search(letters) or (not has_business and _POINTER.search(letters)))
        for letters in clauses
    )


def _pleads(clauses: list[str]) -> bool:
    """One clause speaks of texts or of how we got the number, another wants out of it."""
    return any(
        _PLEA.search(plea) and any(_OF_TEXTS.search(other) for other in clauses[:place])
        for place, plea in enumerate(clauses)
    )


def _unaccented(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(char for char in apart if unicodedata.category(char) != "Mn")


_JOINED = re.compile(r"(?<![a-z])[nm]'(?=[a-z])|-(?=(?:moi|nous|vous|me|mich|la|les)(?![a-z]))")


def _letters(clause: str) -> str:
    apart = _JOINED.sub(lambda joint: joint[0].replace("-", "") + " ", clause)
    return "".join(_letter(word.strip("-")) for word in re.findall(r"[a-z0-9'][a-z0-9'\-]*", apart))


def _letter(word: str) -> str:
    known = _EXACT.get(word, _EXACT.get(word.strip("'")))
    if known is not None:
        return known
    if re.fullmatch(r"\d{1,2}[ap]m", word):
        return "B"
    if word.endswith("in") and f"{word}g" in _EXACT:  # textin
        return _EXACT[f"{word}g"]
    if _is_unsubscribe(word):
        return "U"
    return next((letter for stem, letter in _STEMS if word.startswith(stem)), "o")


def _is_unsubscribe(word: str) -> bool:
    """With a slip or two; "unsubscribed" tells of the past."""
    if not word.startswith("un") or not 8 <= len(word) <= 12 or word.endswith("d"):
        return False
    row = list(range(len("unsubscribe") + 1))
    for index, char in enumerate(word, 1):
        before, row[0] = row[0], index
        for place, other in enumerate("unsubscribe", 1):
            change = before + (char != other)
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, change)
    return row[-1] <= 2
