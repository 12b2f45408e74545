"""A rule says, too, that a text of theirs lies unread."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0010_unpaid_window'),
    ]

    operations = [
        migrations.AlterField(
            model_name='rulefiring',
            name='reason',
            field=models.CharField(blank=True, choices=[('', ''), ('no_consent', 'The member has not agreed to these texts'), ('opted_out', 'The number has opted out'), ('unread', 'What this number texted to the shop has not been read yet'), ('quiet_hours', 'Waiting for the permitted hours of the recipient’s day'), ('frequency', 'The number has had enough texts lately'), ('too_late', 'It would have arrived too late'), ('duplicate', 'The same text went to this number a moment ago'), ('no_number', 'There is no number to text'), ('unsendable', 'The text cannot be sent as written'), ('too_long', 'The text has more parts than allowed'), ('not_approved', 'The template has no approved version'), ('promotional', 'A value brought promotion into a service text'), ('unregistered', 'Its signature, a link or a number in it is not reported to the carriers'), ('stopped', 'Stopped by a person'), ('budget', 'The budget is used up'), ('gateway_refused', 'The gateway refused it'), ('no_answer', 'The gateway gave no answer'), ('link_lost', 'The connection was lost before it was sent'), ('throttled', 'The gateway asked to slow down'), ('not_delivered', 'The carrier could not deliver it'), ('no_receipt', 'The carrier never reported back'), ('bad_number', 'The provider says that this number cannot be texted'), ('content_refused', 'The provider refused what the text says'), ('no_template', 'The provider has no approved template for this text'), ('sender_refused', 'The provider refused the sender or the signature'), ('provider_limit', 'The provider’s own limit is reached'), ('account_stopped', 'The provider has stopped the account'), ('no_route', 'No route leads to this number'), ('restored', 'The database was restored; it may have gone out already'), ('poison', 'It failed again and again and was set aside')], default='', max_length=24, verbose_name='reason'),
        ),
    ]
