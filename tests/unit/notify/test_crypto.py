from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.errors import BadProfileError
from orchestrator.notify.wecom.crypto import BadCallbackError, Cipher
from orchestrator.notify.wecom.envelope import read_xml, write_xml
from tests.shared import shared_dir

KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def cipher(receiver: str = "corp") -> Cipher:
    return Cipher("QDG6eK", KEY, receiver)


def vectors() -> dict[str, Any]:
    return dict(json.loads(shared_dir("wecom", "vectors.json").read_text("utf-8")))


@pytest.mark.parametrize(("part", "field"), [("get", "echostr"), ("post", "encrypt")])
def test_the_official_vectors_open_and_seal_to_the_same_bytes(part: str, field: str) -> None:
    vector = vectors()["A"]
    mine, given_ = Cipher(vector["token"], vector["encoding_aes_key"], vector["receive_id"]), vector[part]
    plain = mine.open(given_["msg_signature"], given_["timestamp"], given_["nonce"], given_[field])
    assert plain.decode() == given_["plaintext"]
    assert mine.encrypt(plain, given_["random"].encode()) == given_[field]


def test_a_message_for_an_empty_receiver_and_a_full_block_of_padding_match_their_vectors() -> None:
    found = vectors()
    bot, full = found["SELF_MADE_empty_receiveid"], found["SELF_MADE_full_pad_block"]
    mine = Cipher(bot["token"], bot["encoding_aes_key"], "")
    assert mine.encrypt(bot["plaintext"].encode(), bot["random"].encode()) == bot["encrypt"]
    assert mine.sign(bot["timestamp"], bot["nonce"], bot["encrypt"]) == bot["msg_signature"]
    assert mine.encrypt(full["plaintext"].encode(), full["random"].encode()) == full["encrypt"]
    assert mine.decrypt(full["encrypt"]).decode() == full["plaintext"]


def test_a_wrong_signature_is_refused_before_anything_is_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = cipher()
    monkeypatch.setattr(mine, "decrypt", lambda _: pytest.fail("decrypted"))
    for signature in ("", "0" * 40, "ü", mine.sign("1", "n", "other")):
        with pytest.raises(BadCallbackError, match="signature"):
            mine.open(signature, "1", "n", "x")


def test_damage_is_told_apart_and_never_a_crash() -> None:
    mine, good = cipher(), cipher().encrypt(b"hello", b"0" * 16)
    for bad, why in [
        (good[:-4], "truncated|base64"),
        (good[:-1], "base64"),
        ("中文", "base64"),
        ("", "truncated"),
        (Cipher("t", "A" * 43, "corp").encrypt(b"hello"), "padding|length|receiver"),
        (cipher("other").encrypt(b"hello"), "receiver"),
    ]:
        with pytest.raises(BadCallbackError, match=why):
            mine.decrypt(bad)
    with pytest.raises(BadCallbackError, match="receiver"):
        cipher("").decrypt(good)


def test_a_length_beyond_the_body_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 10**6

    with pytest.raises(BadCallbackError, match="length"):
        cipher().decrypt(cipher().encrypt(Long(b"hello")))


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_whatever_is_sealed_opens_again(message: bytes) -> None:
    sealed = cipher().encrypt(message)
    assert cipher().open(cipher().sign("1", "2", sealed), "1", "2", sealed) == message


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_noise_is_only_ever_a_bad_callback(noise: str) -> None:
    with pytest.raises(BadCallbackError):
        cipher().decrypt(noise)
    with pytest.raises(BadCallbackError):
        cipher().open(noise, noise, noise, noise)


@pytest.mark.parametrize(("token", "key"), [("", KEY), ("t", ""), ("t", KEY[:-1]), ("t", KEY[:-1] + "-")])
def test_a_key_that_is_none_is_refused_without_being_repeated(token: str, key: str) -> None:
    with pytest.raises(BadProfileError) as error:
        Cipher(token, key, "")
    assert not key or key not in str(error.value)


def test_xml_goes_in_and_out() -> None:
    fields = {"ToUserName": "corp", "Content": "a ]]> b & <c>"}
    assert read_xml(write_xml(fields).encode()) == fields


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Content>&b;</Content></xml>'


@pytest.mark.parametrize("raw", [BOMB, b"<!DOCTYPE x><xml/>", b"", b"<xml>", b"\xff\xfe<", b"<a>" * 50 + b"</a>" * 50])
def test_xml_with_a_document_type_or_damage_is_refused(raw: bytes) -> None:
    with pytest.raises(BadCallbackError):
        read_xml(raw)


def test_a_text_of_very_many_lines_is_read_once() -> None:
    """Whoever reaches the address may send them, before a signature is known. With the square of their number this
    would not end.
    """
    lines = 2_000_000
    assert len(read_xml(b"<xml><Encrypt>" + b"x\n" * lines + b"</Encrypt></xml>")["Encrypt"]) == 2 * lines


def test_what_is_nested_does_not_pose_as_a_field() -> None:
    raw = b"<xml><A>1</A><B><FromUserName>evil</FromUserName></B><FromUserName>me</FromUserName></xml>"
    assert read_xml(raw) == {"A": "1", "B": "", "FromUserName": "me"}
