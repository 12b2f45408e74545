import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's own threads double the cost of small fits

from crm.celery import app as celery_app

__all__ = ["celery_app"]
