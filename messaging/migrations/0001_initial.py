import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('members', '0001_initial'),
        ('members', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Gateway',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('smpp', 'SMPP 3.4')], default='smpp', max_length=16, verbose_name='kind')),
                ('host', models.CharField(max_length=200, verbose_name='host')),
                ('port', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)], verbose_name='port')),
                ('system_id', models.CharField(max_length=15, verbose_name='system id')),
                ('secret', models.TextField(blank=True, editable=False, verbose_name='password')),
                ('sender', models.CharField(blank=True, max_length=20, verbose_name='sender')),
                ('window', models.PositiveIntegerField(default=50, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='window')),
                ('rate', models.PositiveIntegerField(default=0, verbose_name='texts per second at most')),
                ('price_minor', models.PositiveIntegerField(default=0, verbose_name='price per part')),
                ('is_active', models.BooleanField(default=True, verbose_name='in use')),
                ('bind_state', models.CharField(choices=[('off', 'Off'), ('connecting', 'Connecting'), ('bound', 'Connected'), ('waiting', 'Waiting to reconnect'), ('refused', 'Refused by the gateway')], default='off', editable=False, max_length=16, verbose_name='connection')),
                ('last_error', models.CharField(blank=True, editable=False, max_length=200, verbose_name='last error')),
                ('bound_at', models.DateTimeField(editable=False, null=True, verbose_name='connected since')),
                ('lease_owner', models.CharField(blank=True, editable=False, max_length=80)),
                ('lease_epoch', models.BigIntegerField(default=0, editable=False)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'gateway',
                'verbose_name_plural': 'gateways',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='FailedCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_hash', models.BinaryField(max_length=16, null=True)),
                ('ip_hash', models.BinaryField(max_length=16)),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['phone_hash', 'at'], name='failed_check_phone'), models.Index(fields=['ip_hash', 'at'], name='failed_check_address')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.CharField(max_length=80)),
                ('stat', models.CharField(blank=True, max_length=32)),
                ('err', models.CharField(blank=True, max_length=32)),
                ('outcome', models.CharField(max_length=12)),
                ('is_final', models.BooleanField()),
                ('raw', models.TextField()),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('matched_at', models.DateTimeField(null=True)),
                ('gateway', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
            ],
            options={
                'verbose_name': 'receipt',
                'verbose_name_plural': 'receipts',
                'indexes': [models.Index(condition=models.Q(('matched_at', None)), fields=['gateway', 'provider_id'], name='receipt_parked')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_hash', models.BinaryField(max_length=16)),
                ('scope', models.CharField(choices=[('marketing', 'Marketing texts'), ('all', 'All texts')], default='marketing', max_length=16, verbose_name='scope')),
                ('source', models.CharField(max_length=32, verbose_name='source')),
                ('at', models.DateTimeField(verbose_name='since')),
                ('lifted_at', models.DateTimeField(null=True, verbose_name='lifted at')),
            ],
            options={
                'verbose_name': 'suppression',
                'verbose_name_plural': 'suppressions',
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('phone_hash', 'scope'), name='suppression_once')],
            },
        ),
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('key', models.SlugField(max_length=64, unique=True, verbose_name='key')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('message_class', models.CharField(choices=[('verification', 'Verification'), ('notification', 'Notification'), ('trigger', 'Trigger'), ('marketing', 'Marketing')], max_length=16, verbose_name='class')),
                ('event_type', models.CharField(blank=True, max_length=64, verbose_name='event')),
                ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='members.store', verbose_name='only at this store')),
            ],
            options={
                'verbose_name': 'template',
                'verbose_name_plural': 'templates',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='TemplateVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=10, verbose_name='language')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('text', models.TextField(max_length=1000, verbose_name='text')),
                ('content_hash', models.CharField(editable=False, max_length=64)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('approved', 'Approved'), ('retired', 'Retired')], default='draft', editable=False, max_length=16, verbose_name='status')),
                ('approved_at', models.DateTimeField(null=True, verbose_name='approved at')),
                ('approved_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='messaging.template')),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written by')),
            ],
            options={
                'verbose_name': 'template version',
                'verbose_name_plural': 'template versions',
                'ordering': ('template', 'language', '-number'),
                'constraints': [models.UniqueConstraint(fields=('template', 'language', 'number'), name='template_version_once'), models.UniqueConstraint(condition=models.Q(('status', 'approved')), fields=('template', 'language'), name='template_one_approved'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), ('approved_hash', models.F('content_hash')), _connector='OR'), name='template_approval_bound')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('phone', models.CharField(max_length=20, verbose_name='phone')),
                ('phone_hash', models.BinaryField(max_length=16)),
                ('message_class', models.CharField(choices=[('verification', 'Verification'), ('notification', 'Notification'), ('trigger', 'Trigger'), ('marketing', 'Marketing')], max_length=16, verbose_name='class')),
                ('priority', models.SmallIntegerField()),
                ('language', models.CharField(blank=True, max_length=10)),
                ('text', models.TextField(verbose_name='text')),
                ('encoding', models.CharField(max_length=8)),
                ('parts', models.PositiveSmallIntegerField(verbose_name='parts')),
                ('cause', models.CharField(choices=[('rule', 'Trigger rule'), ('run', 'Campaign run'), ('code', 'Verification code'), ('reply', 'Answer to a text'), ('api', 'API')], max_length=8, verbose_name='cause')),
                ('cause_id', models.BigIntegerField()),
                ('timezone', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('held', 'Held'), ('queued', 'Queued'), ('submitting', 'Sending'), ('accepted', 'Sent'), ('retry_wait', 'Waiting to retry'), ('uncertain', 'No answer'), ('delivered', 'Delivered'), ('undelivered', 'Not delivered'), ('no_receipt', 'No receipt'), ('rejected', 'Rejected'), ('expired', 'Too late'), ('cancelled', 'Cancelled'), ('suppressed', 'Not sent'), ('unknown', 'Unknown'), ('quarantined', 'Set aside')], max_length=12, verbose_name='state')),
                ('reason', models.CharField(blank=True, choices=[('', ''), ('no_consent', 'The member has not agreed to these texts'), ('opted_out', 'The number has opted out'), ('quiet_hours', 'Waiting for the permitted hours of the recipient’s day'), ('frequency', 'The number has had enough texts lately'), ('too_late', 'It would have arrived too late'), ('duplicate', 'The same text went to this number a moment ago'), ('no_number', 'There is no number to text'), ('unsendable', 'The text cannot be sent as written'), ('too_long', 'The text has more parts than allowed'), ('not_approved', 'The template has no approved version'), ('stopped', 'Stopped by a person'), ('budget', 'The budget is used up'), ('gateway_refused', 'The gateway refused it'), ('no_answer', 'The gateway gave no answer'), ('link_lost', 'The connection was lost before it was sent'), ('throttled', 'The gateway asked to slow down'), ('not_delivered', 'The carrier could not deliver it'), ('no_receipt', 'The carrier never reported back'), ('poison', 'It failed again and again and was set aside')], default='', max_length=24, verbose_name='reason')),
                ('due_at', models.DateTimeField(verbose_name='due at')),
                ('expires_at', models.DateTimeField(verbose_name='expires at')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created at')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('submitted_at', models.DateTimeField(null=True, verbose_name='sent at')),
                ('final_at', models.DateTimeField(null=True, verbose_name='settled at')),
                ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='members.membershipevent')),
                ('gateway', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
                ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='members.member')),
                ('store', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='members.store')),
                ('template_version', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='messaging.templateversion')),
            ],
            options={
                'verbose_name': 'message',
                'verbose_name_plural': 'messages',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['priority', 'due_at', 'id'], name='message_claim'), models.Index(condition=models.Q(('state__in', ['submitting', 'uncertain', 'retry_wait', 'accepted'])), fields=['state', 'submitted_at'], name='message_sweep'), models.Index(condition=models.Q(('state__in', ['held', 'queued', 'retry_wait'])), fields=['expires_at'], name='message_expiry'), models.Index(fields=['member', '-id'], name='message_member'), models.Index(condition=models.Q(('message_class', 'marketing')), fields=['phone_hash', 'created_at'], name='message_marketing_of_phone')],
                'constraints': [models.UniqueConstraint(fields=('cause', 'cause_id', 'phone'), name='message_once')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('epoch', models.BigIntegerField()),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('outcome', models.CharField(blank=True, max_length=12)),
                ('raw_status', models.CharField(blank=True, max_length=32)),
                ('answered_at', models.DateTimeField(null=True)),
                ('gateway', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='messaging.message')),
            ],
            options={
                'verbose_name': 'attempt',
                'verbose_name_plural': 'attempts',
                'constraints': [models.UniqueConstraint(fields=('message', 'number'), name='attempt_number')],
            },
        ),
        migrations.CreateModel(
            name='SubmittedPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.PositiveSmallIntegerField()),
                ('provider_id', models.CharField(max_length=80)),
                ('outcome', models.CharField(blank=True, max_length=12)),
                ('attempt', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='submitted_parts', to='messaging.attempt')),
                ('gateway', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='submitted_parts', to='messaging.message')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('gateway', 'provider_id'), name='submitted_part_id')],
            },
        ),
        migrations.CreateModel(
            name='VerificationCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_hash', models.BinaryField(max_length=16)),
                ('ip_hash', models.BinaryField(default=b'', max_length=16)),
                ('purpose', models.CharField(choices=[('login', 'Log in'), ('pay', 'Pay'), ('change_phone', 'Change the phone number')], max_length=16)),
                ('salt', models.BinaryField(max_length=16)),
                ('code_hash', models.BinaryField(max_length=32)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('is_text_kept', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['phone_hash', 'purpose', '-id'], name='code_latest'), models.Index(fields=['ip_hash', 'created_at'], name='code_from_address'), models.Index(condition=models.Q(('is_text_kept', True)), fields=['expires_at'], name='code_to_forget')],
            },
        ),
        migrations.CreateModel(
            name='InboundPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=32)),
                ('to', models.CharField(blank=True, max_length=32)),
                ('reference', models.PositiveIntegerField()),
                ('total', models.PositiveSmallIntegerField()),
                ('number', models.PositiveSmallIntegerField()),
                ('text', models.TextField()),
                ('received_at', models.DateTimeField()),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('gateway', 'phone', 'to', 'reference', 'total', 'number'), name='inbound_part_once')],
            },
        ),
        migrations.CreateModel(
            name='InboundText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=32, verbose_name='phone')),
                ('to', models.CharField(blank=True, max_length=32, verbose_name='to')),
                ('text', models.TextField(verbose_name='text')),
                ('intent', models.CharField(blank=True, max_length=16, verbose_name='understood as')),
                ('argument', models.CharField(blank=True, max_length=80)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='received at')),
                ('handled_at', models.DateTimeField(null=True)),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='messaging.gateway')),
                ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inbound_texts', to='members.member')),
            ],
            options={
                'verbose_name': 'inbound text',
                'verbose_name_plural': 'inbound texts',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('handled_at', None)), fields=['received_at'], name='inbound_unhandled')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='message',
            trigger=pgtrigger.compiler.Trigger(name='message_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.state IS DISTINCT FROM NEW.state)', func="IF (OLD.state, NEW.state) NOT IN (('held', 'cancelled'), ('held', 'expired'), ('held', 'quarantined'), ('held', 'queued'), ('held', 'suppressed'), ('queued', 'cancelled'), ('queued', 'expired'), ('queued', 'held'), ('queued', 'quarantined'), ('queued', 'submitting'), ('queued', 'suppressed'), ('submitting', 'accepted'), ('submitting', 'queued'), ('submitting', 'rejected'), ('submitting', 'retry_wait'), ('submitting', 'uncertain'), ('retry_wait', 'cancelled'), ('retry_wait', 'expired'), ('retry_wait', 'quarantined'), ('retry_wait', 'queued'), ('retry_wait', 'rejected'), ('retry_wait', 'suppressed'), ('uncertain', 'accepted'), ('uncertain', 'delivered'), ('uncertain', 'queued'), ('uncertain', 'undelivered'), ('uncertain', 'unknown'), ('accepted', 'delivered'), ('accepted', 'no_receipt'), ('accepted', 'undelivered'), ('no_receipt', 'delivered'), ('no_receipt', 'undelivered'), ('unknown', 'delivered'), ('unknown', 'undelivered'), ('undelivered', 'delivered'), ('quarantined', 'cancelled'), ('quarantined', 'queued')) THEN RAISE EXCEPTION 'a message cannot go from % to %', OLD.state, NEW.state; END IF; RETURN NEW;", hash='e9f7bfb95fea00b3331a597677140a14e0865bf5', operation='UPDATE OF "state"', pgid='pgtrigger_message_moves_aa0cc', table='messaging_message', when='BEFORE')),
        ),
    ]
