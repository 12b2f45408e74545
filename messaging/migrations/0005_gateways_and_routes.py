import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('members', '0002_ledger_guards'), ('messaging', '0004_provider_templates')]

    operations = [
        migrations.CreateModel(
            name='InboundKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32)),
                ('raw', models.TextField()),
                ('received_at', models.DateTimeField()),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='messaging.gateway')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('gateway', 'digest'), name='inbound_key_once')],
            },
        ),
        migrations.CreateModel(
            name='Route',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(default=10, verbose_name='place')),
                ('classes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('verification', 'Verification'), ('notification', 'Notification'), ('trigger', 'Trigger'), ('marketing', 'Marketing')], max_length=16), blank=True, default=list, size=None, verbose_name='classes')),
                ('prefix', models.CharField(blank=True, help_text='With the country, for example +86 or +1310. Empty: every number.', max_length=15, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]*\\Z', 'With the country, for example +86 or +1310.')], verbose_name='numbers beginning with')),
                ('is_active', models.BooleanField(default=True, verbose_name='in use')),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='messaging.gateway', verbose_name='gateway')),
                ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='members.store', verbose_name='only of this store')),
            ],
            options={
                'verbose_name': 'route',
                'verbose_name_plural': 'routes',
                'ordering': ('position', 'id'),
                'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['position', 'id'], name='route_order')],
            },
        ),
        migrations.AddField(
            model_name='gateway',
            name='callback_sources',
            field=models.CharField(blank=True, help_text='Addresses or networks, with spaces between. Empty: from anywhere.', max_length=400, verbose_name='reports only from'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='callback_token',
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='gateway',
            name='classes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('verification', 'Verification'), ('notification', 'Notification'), ('trigger', 'Trigger'), ('marketing', 'Marketing')], max_length=16), blank=True, default=list, size=None, verbose_name='classes'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='down_since',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='gateway',
            name='has_inbound',
            field=models.BooleanField(default=True, verbose_name='brings answers'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='has_long_texts',
            field=models.BooleanField(default=True, verbose_name='carries long texts'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='has_names',
            field=models.BooleanField(default=False, verbose_name='shows a name as the sender'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='has_receipts',
            field=models.BooleanField(default=True, verbose_name='reports deliveries'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='has_unicode',
            field=models.BooleanField(default=True, verbose_name='carries every script'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='needs_template',
            field=models.BooleanField(default=False, editable=False, verbose_name='sends by the provider’s templates'),
        ),
        migrations.AddField(
            model_name='gateway',
            name='options',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='raw_status',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name='gateway',
            name='host',
            field=models.CharField(blank=True, max_length=200, verbose_name='host'),
        ),
        migrations.AlterField(
            model_name='gateway',
            name='kind',
            field=models.CharField(choices=[('smpp', 'SMPP 3.4'), ('cmpp', 'CMPP'), ('aliyun', 'Aliyun'), ('tencent', 'Tencent Cloud'), ('twilio', 'Twilio'), ('http', 'Signed HTTP')], default='smpp', max_length=16, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='gateway',
            name='port',
            field=models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(65535)], verbose_name='port'),
        ),
        migrations.AlterField(
            model_name='gateway',
            name='system_id',
            field=models.CharField(blank=True, max_length=15, verbose_name='system id'),
        ),
        migrations.AlterField(
            model_name='message',
            name='cause',
            field=models.CharField(choices=[('rule', 'Trigger rule'), ('run', 'Campaign run'), ('code', 'Verification code'), ('reply', 'Answer to a text'), ('api', 'API'), ('test', 'Test text')], max_length=8, verbose_name='cause'),
        ),
        migrations.AlterField(
            model_name='message',
            name='reason',
            field=models.CharField(blank=True, choices=[('', ''), ('no_consent', 'The member has not agreed to these texts'), ('opted_out', 'The number has opted out'), ('quiet_hours', 'Waiting for the permitted hours of the recipient’s day'), ('frequency', 'The number has had enough texts lately'), ('too_late', 'It would have arrived too late'), ('duplicate', 'The same text went to this number a moment ago'), ('no_number', 'There is no number to text'), ('unsendable', 'The text cannot be sent as written'), ('too_long', 'The text has more parts than allowed'), ('not_approved', 'The template has no approved version'), ('stopped', 'Stopped by a person'), ('budget', 'The budget is used up'), ('gateway_refused', 'The gateway refused it'), ('no_answer', 'The gateway gave no answer'), ('link_lost', 'The connection was lost before it was sent'), ('throttled', 'The gateway asked to slow down'), ('not_delivered', 'The carrier could not deliver it'), ('no_receipt', 'The carrier never reported back'), ('bad_number', 'The provider says that this number cannot be texted'), ('content_refused', 'The provider refused what the text says'), ('no_template', 'The provider has no approved template for this text'), ('sender_refused', 'The provider refused the sender or the signature'), ('provider_limit', 'The provider’s own limit is reached'), ('account_stopped', 'The provider has stopped the account'), ('no_route', 'No route leads to this number'), ('poison', 'It failed again and again and was set aside')], default='', max_length=24, verbose_name='reason'),
        ),
        migrations.AddConstraint(
            model_name='gateway',
            constraint=models.UniqueConstraint(condition=models.Q(('callback_token', ''), _negated=True), fields=('callback_token',), name='gateway_callback_token'),
        ),
    ]
