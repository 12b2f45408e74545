"""What an owner may set while the house runs, in the admin (django-constance). docs/settings.md tells each."""

from django.utils.translation import gettext_lazy as _

from crm import environment as env

CONSTANCE_BACKEND = "constance.backends.database.DatabaseBackend"
CONSTANCE_DATABASE_CACHE_BACKEND = None
_LINE = {"widget": "unfold.widgets.UnfoldAdminTextInputWidget"}
_NUMBER = {"widget": "unfold.widgets.UnfoldAdminIntegerFieldWidget"}
CONSTANCE_ADDITIONAL_FIELDS = {
    "clock": ["django.forms.RegexField", {"regex": r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z", **_LINE}],
    "count": ["django.forms.IntegerField", {"min_value": 0, "max_value": 1000, **_NUMBER}],
    "minutes": ["django.forms.IntegerField", {"min_value": 0, "max_value": 1440, **_NUMBER}],
    "rows": ["django.forms.IntegerField", {"min_value": 0, "max_value": 10**7, **_NUMBER}],
    "amount": ["django.forms.IntegerField", {"min_value": 0, "max_value": 10**9, **_NUMBER}],
    "percent": ["django.forms.IntegerField", {"min_value": 0, "max_value": 100, **_NUMBER}],
    "countries": [
        "django.forms.RegexField",
        {"regex": r"^[A-Z]{2}(,[A-Z]{2})*$", "max_length": 120, **_LINE},
    ],
    "domain": [
        "django.forms.RegexField",
        {"regex": r"^([a-z0-9-]+\.)+[a-z]{2,}$", "max_length": 60, "required": False, **_LINE},
    ],
    "points_missing": [
        "django.forms.ChoiceField",
        {
            "choices": (
                ("forgive", _("forgives them")),
                ("deduct", _("keeps back what they were worth")),
                ("refuse", _("is refused")),
            ),
            "widget": "unfold.widgets.UnfoldAdminSelectWidget",
        },
    ],
    "card_rules": [
        "django.forms.ChoiceField",
        {
            "choices": (("none", _("No limits")), ("cn", _("China: single-purpose prepaid cards"))),
            "widget": "unfold.widgets.UnfoldAdminSelectWidget",
        },
    ],
    "word": ["django.forms.CharField", {"max_length": 32, **_LINE}],
}
CONSTANCE_CONFIG = {
    "MARKETING_FROM": (
        "09:00",
        _("Marketing texts may leave from this time of the recipient's day"),
        "clock",
    ),
    "MARKETING_UNTIL": ("21:00", _("…until this time; the last leaves 15 minutes before"), "clock"),
    "MARKETING_PER_DAY": (1, _("Marketing texts to one phone in any 24 hours"), "count"),
    "MARKETING_PER_MONTH": (6, _("Marketing texts to one phone in any 30 days"), "count"),
    "MARKETING_RESERVED_PER_MONTH": (
        1,
        _("…of these kept free by promotion pushes, for trigger rules and wake-up programmes"),
        "count",
    ),
    "SAME_TEXT_MINUTES": (
        10,
        _("The same text is not sent to the same number again within so many minutes; 0 is no guard"),
        "minutes",
    ),
    "INBOUND_ANSWERS_PER_HOUR": (5, _("Automatic answers to one phone in any hour"), "count"),
    "INBOX_ANSWER_MINUTES": (60, _("Minutes until a text in the inbox is to be answered"), "count"),
    "DISPUTE_MINUTES": (15, _("The same for “this was not me” and a lost card"), "count"),
    "DISPUTE_FREEZES_CARD": (False, _("“This was not me” by text freezes the card at once"), bool),
    "VERIFICATION_COUNTRIES": (
        env.text("REGION", "CN"),
        _("Countries whose numbers may ask for codes, as CN,SG"),
        "countries",
    ),
    "VERIFICATION_PARTS_PER_HOUR": (500, _("SMS parts of codes in any hour, all stores"), "amount"),
    "VERIFICATION_PARTS_PER_DAY": (3000, _("SMS parts of codes in any 24 hours, all stores"), "amount"),
    "VERIFICATION_STORE_PARTS_PER_HOUR": (200, _("SMS parts of one store’s codes in any hour"), "amount"),
    "VERIFICATION_STORE_PARTS_PER_DAY": (1200, _("SMS parts of one store’s codes in any 24 hours"), "amount"),
    "VERIFICATION_MEMBERS_PERCENT": (
        20,
        _("Of those parts, kept for numbers that are members’ (%)"),
        "percent",
    ),
    "VERIFICATION_WEBOTP_DOMAIN": (
        "",
        _("Address the browser fills codes in for (last line of the text); empty is none"),
        "domain",
    ),
    "SPEND_CODE_ABOVE_MINOR": (
        0,
        _("From a card above this within an hour (minor units) the member’s code is needed; 0 is never"),
        "amount",
    ),
    "ACCEPTS_OTHER_STORES": (True, _("Value sold at one store may be used at every other"), bool),
    "POINTS_MISSING_ON_REFUND": (
        "forgive",
        _("A refund whose points the member has used already"),
        "points_missing",
    ),
    "POINTS_COST_MINOR": (100, _("What 100 points cost the house (minor units), for what is owed"), "amount"),
    "CASH_DIFFERENCE_MAX_MINOR": (
        2000,
        _("A cash difference above this (minor units) needs a second person in charge"),
        "amount",
    ),
    "EXPORT_ROWS_ALONE": (
        50,
        _("More members than this are taken away as a file only with a second person’s yes"),
        "rows",
    ),
    "CARD_RULES": ("none", _("Legal limits on prepaid cards"), "card_rules"),
    "PHONE_CHANGE_SPEND_MAX_MINOR": (
        20000,
        _("While a phone number changes and for a day after: at most this in any 24 hours (minor units)"),
        "amount",
    ),
    "CONSENT_WORDING": (
        "2026-11",
        _("Version of the consent wording shown at the till and in the portal"),
        "word",
    ),
}
CONSTANCE_CONFIG_FIELDSETS = (
    (
        _("Paying with stored value"),
        (
            "SPEND_CODE_ABOVE_MINOR",
            "ACCEPTS_OTHER_STORES",
            "POINTS_MISSING_ON_REFUND",
            "CARD_RULES",
            "PHONE_CHANGE_SPEND_MAX_MINOR",
        ),
    ),
    (_("Cash and what is owed"), ("CASH_DIFFERENCE_MAX_MINOR", "POINTS_COST_MINOR")),
    (_("Files"), ("EXPORT_ROWS_ALONE",)),
    (
        _("When and how often marketing is sent"),
        (
            "MARKETING_FROM",
            "MARKETING_UNTIL",
            "MARKETING_PER_DAY",
            "MARKETING_PER_MONTH",
            "MARKETING_RESERVED_PER_MONTH",
        ),
    ),
    (_("Texts that repeat themselves"), ("SAME_TEXT_MINUTES",)),
    (_("Consent"), ("CONSENT_WORDING",)),
    (
        _("Texts from members"),
        (
            "INBOUND_ANSWERS_PER_HOUR",
            "INBOX_ANSWER_MINUTES",
            "DISPUTE_MINUTES",
            "DISPUTE_FREEZES_CARD",
        ),
    ),
    (
        _("Verification codes"),
        (
            "VERIFICATION_COUNTRIES",
            "VERIFICATION_PARTS_PER_HOUR",
            "VERIFICATION_PARTS_PER_DAY",
            "VERIFICATION_STORE_PARTS_PER_HOUR",
            "VERIFICATION_STORE_PARTS_PER_DAY",
            "VERIFICATION_MEMBERS_PERCENT",
            "VERIFICATION_WEBOTP_DOMAIN",
        ),
    ),
)
