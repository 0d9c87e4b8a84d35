"""The least that django-tenants needs; database and models come from the environment."""

import os

_HOST, _PORT, _NAME, _USER, _PASSWORD = os.environ["PEER_DATABASE"].split("\n")
SECRET_KEY = "not a secret: nothing is served"
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": _HOST,
        "PORT": _PORT,
        "NAME": _NAME,
        "USER": _USER,
        "PASSWORD": _PASSWORD,
    }
}
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
SHARED_APPS = ["django_tenants", "customers", "django.contrib.contenttypes"]
TENANT_APPS = ["shop"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "customers.Client"
TENANT_DOMAIN_MODEL = "customers.Domain"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING_CONFIG = None
