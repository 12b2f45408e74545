import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('members', '0001_initial'),
        ('members', '__first__'),
        ('messaging', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('kind', models.CharField(choices=[('push', 'Promotion push'), ('wakeup', 'Wake-up programme')], default='push', max_length=16, verbose_name='kind')),
                ('audience', models.JSONField(blank=True, default=dict, verbose_name='audience')),
                ('wording', models.JSONField(blank=True, default=dict, verbose_name='wording')),
                ('timing', models.CharField(choices=[('now', 'As soon as it is launched'), ('once', 'Once, at a time'), ('daily', 'Every day'), ('weekly', 'Every week'), ('monthly', 'Every month')], default='now', max_length=16, verbose_name='when')),
                ('start_on', models.DateField(blank=True, null=True, verbose_name='first day')),
                ('end_on', models.DateField(blank=True, null=True, verbose_name='last day')),
                ('at_time', models.TimeField(blank=True, null=True, verbose_name='time of day, in the store’s zone')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('paused', 'Paused'), ('ended', 'Ended')], default='draft', editable=False, max_length=16, verbose_name='status')),
                ('launched_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('launched_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='campaigns', to='members.store', verbose_name='store')),
                ('template', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='messaging.template', verbose_name='text')),
            ],
            options={
                'verbose_name': 'campaign',
                'verbose_name_plural': 'campaigns',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('status', 'active')), fields=['timing'], name='campaign_ticking')],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('window', models.CharField(max_length=32)),
                ('status', models.CharField(choices=[('freezing', 'Choosing recipients'), ('sending', 'Sending'), ('stopped', 'Stopped'), ('done', 'Done')], default='freezing', max_length=16, verbose_name='status')),
                ('as_of', models.DateTimeField()),
                ('started_at', models.DateTimeField(verbose_name='started at')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished at')),
                ('recipients_total', models.PositiveIntegerField(default=0, verbose_name='recipients')),
                ('chunks_total', models.PositiveIntegerField(default=0)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='campaigns.campaign')),
                ('stopped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'run',
                'verbose_name_plural': 'runs',
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('campaign', 'window'), name='run_once')],
            },
        ),
        migrations.CreateModel(
            name='Recipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=20)),
                ('chunk', models.PositiveIntegerField()),
                ('score', models.FloatField(null=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.member')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recipients', to='campaigns.run')),
            ],
            options={
                'verbose_name': 'recipient',
                'verbose_name_plural': 'recipients',
                'indexes': [models.Index(fields=['run', 'chunk'], name='recipient_chunk')],
                'constraints': [models.UniqueConstraint(fields=('run', 'phone'), name='recipient_once')],
            },
        ),
        migrations.CreateModel(
            name='RunChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('expanded_at', models.DateTimeField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='campaigns.run')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('expanded_at', None)), fields=['run'], name='chunk_waiting')],
                'constraints': [models.UniqueConstraint(fields=('run', 'number'), name='run_chunk_once')],
            },
        ),
        migrations.CreateModel(
            name='TriggerRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('event_type', models.CharField(max_length=64, verbose_name='event')),
                ('dedupe_seconds', models.PositiveIntegerField(default=0, verbose_name='not again within (seconds)')),
                ('is_on', models.BooleanField(default=True, verbose_name='on')),
                ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='members.store', verbose_name='only at this store')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='messaging.template', verbose_name='template')),
            ],
            options={
                'verbose_name': 'trigger rule',
                'verbose_name_plural': 'trigger rules',
                'ordering': ('event_type', 'id'),
                'indexes': [models.Index(condition=models.Q(('is_on', True)), fields=['event_type'], name='rule_event')],
            },
        ),
        migrations.CreateModel(
            name='RuleFiring',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('sent', 'Text queued'), ('not_sent', 'Not sent'), ('failed', 'Failed')], max_length=12, verbose_name='outcome')),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('no_consent', 'The member has not agreed to these texts'), ('opted_out', 'The number has opted out'), ('quiet_hours', 'Waiting for the permitted hours of the recipient’s day'), ('frequency', 'The number has had enough texts lately'), ('too_late', 'It would have arrived too late'), ('duplicate', 'The same text went to this number a moment ago'), ('no_number', 'There is no number to text'), ('unsendable', 'The text cannot be sent as written'), ('too_long', 'The text has more parts than allowed'), ('not_approved', 'The template has no approved version'), ('stopped', 'Stopped by a person'), ('budget', 'The budget is used up'), ('gateway_refused', 'The gateway refused it'), ('no_answer', 'The gateway gave no answer'), ('link_lost', 'The connection was lost before it was sent'), ('throttled', 'The gateway asked to slow down'), ('not_delivered', 'The carrier could not deliver it'), ('no_receipt', 'The carrier never reported back'), ('poison', 'It failed again and again and was set aside')], default='', max_length=24, verbose_name='reason')),
                ('at', models.DateTimeField()),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='firings', to='members.membershipevent')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='firings', to='members.member')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='firings', to='campaigns.triggerrule')),
            ],
            options={
                'verbose_name': 'rule firing',
                'verbose_name_plural': 'rule firings',
                'indexes': [models.Index(fields=['member', 'rule', '-at'], name='firing_dedupe')],
                'constraints': [models.UniqueConstraint(fields=('rule', 'event'), name='rule_once_per_event')],
            },
        ),
    ]
