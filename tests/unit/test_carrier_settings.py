"""Which carriers an installation uses, in which order, and what each cannot do without."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.dial.approvals import ApprovedNumbers
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from config.settings import SettingsError, read_settings
from streams.installation import environment, open_installation, prepare, twilio_account

KEY = {"number_key": "a key for the digests of numbers"}
TWILIO = {
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "token",
    "twilio_from_number": "+15005550006",
    "twilio_public_url": "https://county.example",
}
ALIYUN = {
    "aliyun_access_key_id": "LTAI",
    "aliyun_access_key_secret": "secret",
    "aliyun_show_number": "05711234567",
    "aliyun_ivr_template": "TTS_1",
    "aliyun_sign_name": "禾溪县应急局",
    "aliyun_text_template": "SMS_1",
    "aliyun_receipt_secret": "a-secret-that-is-long-enough",
}


def refusal(**given: object) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(**given)
    return str(refused.value)


def test_no_real_carrier_is_used_by_default():
    assert read_settings().carriers == ()


def test_the_fallback_comes_after_the_carrier():
    settings = read_settings(carrier="aliyun", carrier_fallback="twilio", **KEY, **TWILIO, **ALIYUN)
    assert settings.carriers == ("aliyun", "twilio")


@pytest.mark.parametrize("missing", sorted(ALIYUN))
def test_aliyun_without_part_of_its_account_is_refused_by_name(missing: str):
    given = {name: value for name, value in ALIYUN.items() if name != missing}
    assert f"JIAOYING_{missing.upper()}" in refusal(carrier="aliyun", **KEY, **given)


def test_a_fallback_needs_its_account_too():
    assert "JIAOYING_TWILIO_ACCOUNT_SID" in refusal(carrier="aliyun", carrier_fallback="twilio", **KEY, **ALIYUN)


@pytest.mark.parametrize("carrier", ["simulated", "aliyun"])
def test_a_fallback_is_a_real_carrier_other_than_the_first(carrier: str):
    given = {**KEY, **ALIYUN} if carrier == "aliyun" else {}
    assert "CARRIER_FALLBACK" in refusal(carrier=carrier, carrier_fallback="aliyun", **given)


def test_a_secret_that_can_be_guessed_is_refused():
    told = refusal(carrier="aliyun", **KEY, **{**ALIYUN, "aliyun_receipt_secret": "short"})
    assert "ALIYUN_RECEIPT_SECRET 至少 24 个字符" in told


def test_the_variables_of_the_text_are_a_comma_separated_list_and_come_through_to_a_child_process():
    settings = read_settings(aliyun_text_variables="text1, text2")
    assert settings.aliyun_text_variables == ("text1", "text2")
    assert environment(settings)["JIAOYING_ALIYUN_TEXT_VARIABLES"] == "text1,text2"


@pytest.mark.parametrize(
    ("paces", "taken"), [({}, 1.0), ({"twilio_calls_per_s": 5.0}, 5.0), ({"call_pace_per_s": 0.5}, 0.5)]
)
def test_no_more_is_asked_of_twilio_than_the_account_has(paces: dict[str, float], taken: float):
    assert twilio_account(read_settings(carrier="twilio", **KEY, **TWILIO, **paces)).pace_per_s == taken


@pytest.mark.parametrize(("basis", "may"), [("", False), ("个保法第三十八条，标准合同备案号 1", True)])
def test_a_number_of_the_mainland_goes_abroad_only_on_a_legal_basis(basis: str, may: bool):
    account = TwilioAccount.model_validate(
        {
            "account_sid": "AC1",
            "auth_token": "t",
            "from_number": "+15005550006",
            "public_url": "https://a.example",
            "china_basis": basis,
        }
    )
    carrier = TwilioCarrier(account, approved=lambda number: True)
    assert (carrier.may_dial("+8613800001234"), carrier.may_dial("+85291234567")) == (may, True)


@pytest.mark.parametrize(
    ("rehearsal", "names"), [(True, ["simulated", "by_hand"]), (False, ["simulated", "aliyun", "twilio", "by_hand"])]
)
def test_an_installation_has_its_real_carriers_only_where_it_went_live(
    tmp_path: Path, rehearsal: bool, names: list[str]
):
    settings = read_settings(
        data_dir=tmp_path,
        carrier="aliyun",
        carrier_fallback="twilio",
        rehearsal=rehearsal,
        **KEY,
        **TWILIO,
        **ALIYUN,
    )
    prepare(settings)
    installation = open_installation(settings)
    installation.ledger.close()
    assert [carrier.name for carrier in installation.house.carriers] == names
    assert isinstance(installation.approved, ApprovedNumbers)


def test_twilio_without_an_address_of_ours_needs_a_flow():
    given = {name: value for name, value in TWILIO.items() if name != "twilio_public_url"}
    assert "JIAOYING_TWILIO_PUBLIC_URL" in refusal(carrier="twilio", **KEY, **given)
    settings = read_settings(carrier="twilio", twilio_flow_sid="FW" + "0" * 32, **KEY, **given)
    assert twilio_account(settings).flow_sid == "FW" + "0" * 32


def test_aliyun_without_addresses_of_ours_needs_its_queues():
    given = {name: value for name, value in ALIYUN.items() if name != "aliyun_receipt_secret"}
    assert "JIAOYING_ALIYUN_RECEIPT_SECRET" in refusal(carrier="aliyun", **KEY, **given)
    assert read_settings(carrier="aliyun", aliyun_queue_account="1234567890", **KEY, **given).carriers == ("aliyun",)


def test_a_secret_that_is_too_short_is_refused_beside_queues_too():
    given = ALIYUN | {"aliyun_receipt_secret": "short", "aliyun_queue_account": "1234567890"}
    assert "ALIYUN_RECEIPT_SECRET" in refusal(carrier="aliyun", **KEY, **given)
