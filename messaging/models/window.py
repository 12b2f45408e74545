from django.contrib.postgres.fields import ArrayField
from django.db import models


class SendingWindow(models.Model):
    """The hours a rule pack leaves for marketing to numbers of one calling code: into these the house's are narrowed.

    Filled from messaging/rules after each migrate, read by `sms_window` in the database. `calling_code` empty is every
    country without a pack. At home the allowed hours stand here, elsewhere the pack's default.
    """

    calling_code = models.CharField(max_length=4, primary_key=True)
    region = models.CharField(max_length=2)
    opens = models.TimeField()
    closes = models.TimeField()
    cutoff_minutes = models.PositiveSmallIntegerField()
    closed_weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list)


class ClosedDay(models.Model):
    """A day on which marketing to numbers of a region does not leave."""

    region = models.CharField(max_length=2)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "day"], name="closed_day_once")]
