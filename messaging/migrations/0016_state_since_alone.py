"""Since when a gateway is connected or is not, said once."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0015_waiting_functions'),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE messaging_gateway SET state_since = down_since "
            "WHERE down_since IS NOT NULL AND bind_state <> 'bound'",
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='gateway',
            name='gateway_state_since',
        ),
        migrations.RemoveField(
            model_name='gateway',
            name='down_since',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='gateway',
            trigger=pgtrigger.compiler.Trigger(name='gateway_state_since', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.bind_state = 'bound') <> (NEW.bind_state = 'bound'))", func='IF NEW.state_since = OLD.state_since THEN NEW.state_since := now(); END IF; RETURN NEW;', hash='e20cf85c8fb8a71f6726784d9932bc1430614134', operation='UPDATE OF "bind_state"', pgid='pgtrigger_gateway_state_since_a2d5b', table='messaging_gateway', when='BEFORE')),
        ),
    ]
