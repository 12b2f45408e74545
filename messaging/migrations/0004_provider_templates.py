import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('messaging', '0003_pass_on_code')]

    operations = [
        migrations.CreateModel(
            name='ProviderTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system_text', models.CharField(blank=True, max_length=32, verbose_name='the engine’s own text')),
                ('language', models.CharField(blank=True, max_length=10, verbose_name='language')),
                ('code', models.CharField(blank=True, max_length=64, verbose_name='the provider’s template id')),
                ('parameters', models.JSONField(blank=True, default=dict, verbose_name='names of the placeholders there')),
                ('status', models.CharField(blank=True, choices=[('', 'Not reported'), ('submitted', 'Reported, waiting'), ('approved', 'Passed'), ('rejected', 'Turned down'), ('stale', 'Lapsed')], default='', max_length=12, verbose_name='status')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='messaging.gateway', verbose_name='gateway')),
                ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='at_providers', to='messaging.templateversion')),
            ],
            options={
                'verbose_name': 'template at a provider',
                'verbose_name_plural': 'templates at providers',
                'ordering': ('gateway', 'id'),
                'constraints': [models.UniqueConstraint(fields=('version', 'gateway'), name='provider_template_once'), models.UniqueConstraint(condition=models.Q(('system_text', ''), _negated=True), fields=('gateway', 'system_text', 'language'), name='provider_system_text_once'), models.CheckConstraint(condition=models.Q(models.Q(('system_text', ''), ('version__isnull', False)), models.Q(('version', None), models.Q(('system_text', ''), _negated=True)), _connector='OR'), name='provider_template_of_one')],
            },
        ),
    ]
