"""Regions of routes, and the more particular route first (messaging/sql/routes.sql)."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

WAYS = Path(__file__).resolve().parent.parent / "sql" / "routes.sql"


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0024_key_codes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='route',
            name='position',
            field=models.PositiveIntegerField(default=10, help_text='Read from the lowest. In the same place the longest beginning of the number goes first.', verbose_name='place'),
        ),
        migrations.CreateModel(
            name='Region',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True, verbose_name='name')),
                ('covers', models.TextField(max_length=20000, verbose_name='countries and beginnings of numbers')),
                ('beginnings', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=15), editable=False, size=None)),
            ],
            options={
                'verbose_name': 'region',
                'verbose_name_plural': 'regions',
                'ordering': ('name',),
                'constraints': [models.CheckConstraint(condition=models.Q(('beginnings__len__gt', 0)), name='region_is_somewhere')],
            },
        ),
        migrations.AddField(
            model_name='route',
            name='region',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='routes', to='messaging.region', verbose_name='or numbers of a region'),
        ),
        migrations.AddConstraint(
            model_name='route',
            constraint=models.CheckConstraint(condition=models.Q(('prefix', ''), ('region', None), _connector='OR'), name='route_prefix_or_region', violation_error_message='Give a beginning or a region, not both.'),
        ),
        migrations.RunSQL(WAYS.read_text(), migrations.RunSQL.noop),
    ]
