"""What is read from outside, once."""

import secrets

import pytest
from django import forms
from django.conf import settings

from crm import environment


def test_of_two_processes_that_make_the_key_at_once_both_have_the_same_one(tmp_path, monkeypatch):
    monkeypatch.setenv("REGULARS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("REGULARS_SECRET_KEY", raising=False)
    make, others = secrets.token_urlsafe, []

    def while_another_starts(octets: int) -> str:
        monkeypatch.setattr(secrets, "token_urlsafe", make)
        others.append(environment.secret_key())
        return make(octets)

    monkeypatch.setattr(secrets, "token_urlsafe", while_another_starts)
    ours = environment.secret_key()

    assert [ours] == others and len(ours) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("time", ["0\u0663:00", "09:00\n", "24:00", "9:00"])
def test_a_time_of_day_in_the_settings_is_one_the_outbox_can_read(time):
    _field, options = settings.CONSTANCE_ADDITIONAL_FIELDS["clock"]

    with pytest.raises(forms.ValidationError):
        forms.RegexField(regex=options["regex"], strip=False).clean(time)
