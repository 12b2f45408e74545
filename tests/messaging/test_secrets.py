"""Gateway passwords."""

import pytest

from messaging.secrets import SecretUnreadable, decrypt_secret, encrypt_secret


@pytest.mark.parametrize("password", ["s3cret", "密码", ""])
def test_a_password_comes_back(password):
    assert decrypt_secret(encrypt_secret(password)) == password


def test_what_is_stored_does_not_show_the_password():
    assert "s3cret" not in encrypt_secret("s3cret")


def test_another_key_opens_nothing(settings):
    stored = encrypt_secret("s3cret")

    settings.SECRET_KEY = "another key of the same length or so"

    with pytest.raises(SecretUnreadable):
        decrypt_secret(stored)
