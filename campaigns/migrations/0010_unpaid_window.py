from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0009_stopped_runs")]
    operations = [
        migrations.AddField(
            model_name="campaign",
            name="unpaid_window",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
    ]
