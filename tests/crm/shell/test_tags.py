"""The tags as a page uses them."""

import pytest
from django import forms
from django.template import Context, Template

from crm.shell.tones import STATE_FACES
from messaging.states import State


def rendered(source: str, **context: object) -> str:
    return Template("{% load shell %}" + source).render(Context(context))


@pytest.mark.parametrize("state", list(State))
def test_every_message_state_has_a_word_an_icon_and_a_tone(state):
    badge = rendered("{% state_badge state %}", state=state.value)

    assert str(state.label) in badge
    assert "<svg" in badge
    assert f"tone-{STATE_FACES[state].tone}" in badge


def test_the_error_stands_in_the_field_and_is_tied_to_the_input():
    class Recharge(forms.Form):
        amount = forms.IntegerField(help_text="In whole yuan.")

    page = rendered("{% field form.amount %}", form=Recharge({"amount": "ten"}))

    assert 'aria-describedby="id_amount_helptext id_amount_error"' in page
    assert 'id="id_amount_error"' in page
    assert 'id="id_amount_helptext"' in page
    assert 'value="ten"' in page, "what was typed is kept"


def test_a_form_shown_again_keeps_its_key_and_a_new_form_gets_its_own():
    kept = rendered("{% once_key key %}", key="7f3k")
    first, second = rendered("{% once_key %}"), rendered("{% once_key %}")

    assert 'value="7f3k"' in kept
    assert first != second


def test_an_icon_is_silent_unless_it_is_named():
    assert 'aria-hidden="true"' in rendered('{% icon "phone" %}')
    assert 'aria-label="Call &quot;Ana&quot;"' in rendered("{% icon 'phone' label %}", label='Call "Ana"')
