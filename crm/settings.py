"""Django settings. Everything that differs between sites comes from `crm.environment`."""

import sys
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from crm import environment as env
from crm.run_time_settings import (  # noqa: F401 (Django reads them here)
    CONSTANCE_ADDITIONAL_FIELDS,
    CONSTANCE_BACKEND,
    CONSTANCE_CONFIG,
    CONSTANCE_CONFIG_FIELDSETS,
    CONSTANCE_DATABASE_CACHE_BACKEND,
)
from crm.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.data_dir()
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key()
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.constance",
    "crm.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "axes",
    "crm.apps.HouseRulesConfig",
    "import_export",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials",
    "lucide",
    "django_celery_beat",
    "crm",
    "crm.shell",
    "crm.staff",
    "crm.portal",
    "crm.api",
    "campaigns",
    "messaging",
    "members",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm.logs.RequestLogMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.shell.context.shell",
            ],
        },
    }
]

DATABASES = {"default": env.django_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who may come in
AUTH_USER_MODEL = "members.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("staff:login")
LOGIN_REDIRECT_URL = reverse_lazy("staff:till")
LOGOUT_REDIRECT_URL = LOGIN_URL
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "crm.client_address.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "staff/login_locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Languages and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["crm.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# Files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# Browser protection: deny first
IS_HTTPS = env.flag("HTTPS")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
if env.flag("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "regulars_session"
CSRF_COOKIE_NAME = "regulars_csrf"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "crm.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "script-src": [SELF],
        "style-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}
# The themed admin's scripts are worked out in its pages (Alpine) and its colours are a style element: crm.urls
# gives its views, and only them, this.
ADMIN_CSP = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.broker_url(),
        "KEY_PREFIX": "regulars",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

# Work that leaves the request
CELERY_BROKER_URL = env.broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = SCHEDULE
DJANGO_CELERY_BEAT_TZ_AWARE = True

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["crm.api.authentication.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "crm.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Regulars API",
    "DESCRIPTION": "Members, stored value and events. Writes need an Idempotency-Key.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "TenderEnum": "members.enums.TenderType",
        "KindEnum": "members.enums.OperationKind",
        "StatusEnum": "members.enums.CardStatus",
        "BillLineKindEnum": "members.models.bill.BillLineKind",
        "HoldStatusEnum": "members.enums.HoldStatus",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "crm.api.openapi.say_how_strict",
    ],
}

REGULARS_ALERTS_TO = env.words("ALERTS_TO")
EMAIL_HOST, EMAIL_PORT = env.text("MAIL_HOST"), env.number("MAIL_PORT", 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("MAIL_USER"), env.text("MAIL_PASSWORD")
EMAIL_USE_TLS = env.flag("MAIL_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "regulars@localhost")
REGULARS_METRICS_TOKEN = env.text("METRICS_TOKEN")
REGULARS_METRICS_FROM = env.words("METRICS_FROM")
REGULARS_CODE_HASH_COST = 2**12  # scrypt: some 25 ms and 4 MB a code
REGULARS_API_PER_MINUTE = env.number("API_PER_MINUTE", 600)  # requests a key
REGULARS_CURRENCY = env.text("CURRENCY", "CNY")
REGULARS_REGION = env.text("REGION", "CN")
REGULARS_SIMULATOR_PORT = env.number("SIMULATOR_PORT", 8010)
REGULARS_SMSC_PORT = env.number("SMSC_PORT", 2775)
REGULARS_PHONE_KEY = env.text("PHONE_KEY") or SECRET_KEY

IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
UNFOLD = {
    "SITE_TITLE": "Regulars",
    "SITE_HEADER": "Regulars",
    "SITE_SUBHEADER": "crm.admin_menu.subheader",
    "SITE_URL": reverse_lazy("staff:till"),
    "SITE_ICON": "crm.admin_menu.mark",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "crm.admin_menu.mark"}],
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {"navigation": "crm.admin_menu.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(.975 .012 354)",
            "100": "oklch(.945 .03 354)",
            "200": "oklch(.895 .06 354)",
            "300": "oklch(.815 .105 354)",
            "400": "oklch(.685 .15 354)",
            "500": "oklch(.56 .165 354)",
            "600": "oklch(.49 .165 353)",
            "700": "oklch(.435 .155 353)",
            "800": "oklch(.375 .13 352)",
            "900": "oklch(.325 .105 351)",
            "950": "oklch(.265 .078 350)",
        },
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
if not IS_HTTPS:  # plain HTTP is for one machine or behind a TLS proxy that sets REGULARS_HTTPS
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]

LOGGING_CONFIG = "crm.logs.configure"
LOGGING = {"json": env.flag("LOG_JSON"), "level": env.text("LOG_LEVEL", "INFO")}
__all__ = [name for name in dir(sys.modules[__name__]) if name.isupper()]
