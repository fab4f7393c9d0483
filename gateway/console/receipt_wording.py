"""What the state of a letter's receipt is called, what it means and what to do, in Danish."""

from collections.abc import Mapping

#: which letters the page lists
RECEIPT_FILTERS: Mapping[str, str] = {
    "waiting": "venter på kvittering",
    "late": "kvitteringen er over tiden",
    "refused": "afvist af modtageren",
}
RECEIPT_STATES: Mapping[str, str] = {
    "fresh": "venter, inden for tiden",
    "late": "ingen kvittering i tide",
    "resent": "sendt igen, venter på kvittering",
    "often": "ingen kvittering, sendt igen flere gange",
    "again": "sendes igen nu",
    "stuck": "kunne ikke sendes igen",
    "refused": "afvist af modtageren",
    "delivered": "leveret",
    "unsent": "ikke sendt",
}
RECEIPT_ADVICE: Mapping[str, str] = {
    "fresh": "Modtagerens system har stadig tid til at kvittere. Gør ingenting; kommer der intet, ringer alarmen.",
    "late": (
        "Vi ved ikke, om brevet er nået frem. Spørg modtageren eller VANS-leverandøren. Mangler det, så tryk «Send "
        "igen»: det er samme brev i en ny kuvert, så modtageren kan se, at det er det samme."
    ),
    "resent": (
        "Brevet er sendt igen for nylig. Giv modtagerens system tid til at kvittere, før du gør mere; alarmen står, "
        "til kvitteringen kommer."
    ),
    "often": (
        "Brevet er sendt igen mindst to gange uden svar, og flere gange skal man ifølge MedCom ikke. Ring til "
        "modtageren, og giv beskeden på en anden måde, hvis den haster."
    ),
    "again": "Brevet er på vej ud i en ny kuvert. Vent på kvitteringen; der er intet at gøre.",
    "stuck": "Brevet har været sendt, men kunne ikke sendes igen. Få fejlen rettet, og tryk så «Send igen».",
    "refused": (
        "Modtagerens system tog ikke imod brevet, så ingen har læst det. Ring til modtageren, hvis det haster. «Send "
        "igen» sender det samme brev og hjælper kun, når årsagen er rettet; så begynder ventetiden forfra."
    ),
    "delivered": "Modtagerens system har taget imod brevet. Der er intet at gøre.",
    "unsent": "Brevet er ikke sendt endnu, så der er ingen kvittering at vente på.",
}
#: by MedCom's refuse code
REFUSALS: Mapping[str, str] = {
    "ikke_specificeret": "modtageren siger ikke hvorfor; spørg dem",
    "ukendt_lokationsnummer": "modtagerens lokationsnummer er ukendt; kontrollér det i SOR",
    "problem_med_modtagerID": "lokationsnummer og modtager passer ikke sammen; kontrollér dem i SOR",
    "problem_med_version": "modtageren kan ikke læse denne version; kontrollér tilmeldingen i SOR",
    "syntaksfejl": "modtageren kunne ikke læse brevet; meld det til udvikleren",
}
#: what a click on «Send igen» led to
RESENDS: Mapping[str, str] = {
    "again": "Brevet sendes igen i en ny kuvert.",
    "delivered": "Ikke sendt igen: kvitteringen nåede at komme. Brevet er leveret.",
    "refused": "Ikke sendt igen: modtageren nåede at afvise brevet. Årsagen står her.",
    "pending": "Ikke sendt en gang til: brevet er allerede på vej.",
    "resent": "Ikke sendt en gang til: brevet er sendt igen, efter at siden blev vist.",
    "unsent": "Ikke sendt: brevet er ikke klar til at blive sendt.",
}
