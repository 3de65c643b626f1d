"""What we ask of the vendors, and what the fakes take and answer, against the vendors' own clients.

A fake that was written by the same people as the carrier shares their mistakes. Here both are held against what the
vendors publish as code: the names of every parameter that their clients can send, and of every field that they read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from alibabacloud_dybaseapi20170525 import models as tokens
from alibabacloud_dysmsapi20170525 import models as texts
from alibabacloud_dyvmsapi20170525 import models as voice
from twilio.base import values
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance
from twilio.rest.studio.v2.flow.execution import ExecutionInstance
from twilio.rest.studio.v2.flow.execution.execution_step import ExecutionStepInstance
from twilio.twiml.voice_response import VoiceResponse

from agents.dial.carriers.studio_flow import definition
from streams.words import Channel
from tests.wire import fake_studio, fake_twilio
from tests.wire.aliyun_house import House as Mainland
from tests.wire.fake_aliyun import REQUESTS
from tests.wire.fake_mainland import Handset as MainlandHandset
from tests.wire.fake_phones import VERBS, Handset
from tests.wire.twilio_house import NUMBER, House

NOW = datetime(2026, 7, 19, 14, 0, tzinfo=UTC)


class Recorder:
    """A transport of Twilio's client that notes the names of what would be sent."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def request(self, _method: str, _url: str, **how: Any) -> Response:
        self.names |= set(how.get("params") or {}) | set(how.get("data") or {})
        return Response(
            200, '{"calls": [], "messages": [], "executions": [], "steps": [], "meta": {"key": "executions"}}'
        )


def published(ask: Callable[[Client], Callable[..., Any]]) -> set[str]:
    """Return the names of all parameters that a method of Twilio's client can send."""
    recorder = Recorder()
    client = Client("AC" + "0" * 32, "token", http_client=recorder)
    method = ask(client)
    names = [name for name in inspect.signature(method).parameters if name not in ("limit", "page_size")]
    given = {name: NOW if "date" in name or name.startswith(("start_time", "end_time")) else "x" for name in names}
    given |= {name: ["x"] for name in names if name in ("status_callback_event", "media_url", "persistent_action")}
    assert values.unset not in given.values()
    method(**given)
    return recorder.names | ({"PageSize"} if "limit" in inspect.signature(method).parameters else set())


@pytest.mark.parametrize(
    ("taken_by_the_fake", "ask"),
    [
        (fake_twilio.CALL_PARAMETERS, lambda client: client.calls.create),
        (fake_twilio.TEXT_PARAMETERS, lambda client: client.messages.create),
        (fake_twilio.LIST_PARAMETERS, lambda client: client.calls.list),
        (fake_twilio.LIST_PARAMETERS, lambda client: client.messages.list),
        ({"To", "PageSize", "DateSent>"}, lambda client: client.messages.list),
        ({"Status"}, lambda client: client.calls("CA1").update),
        (fake_studio.PARAMETERS, lambda client: client.studio.v2.flows("FW1").executions.create),
        ({"DateCreatedFrom", "PageSize"}, lambda client: client.studio.v2.flows("FW1").executions.list),
        ({"Status"}, lambda client: client.studio.v2.flows("FW1").executions("FN1").update),
    ],
)
def test_the_fake_twilio_takes_no_parameter_that_the_vendor_s_client_does_not_know(
    taken_by_the_fake: set[str], ask: Callable[[Client], Callable[..., Any]]
):
    assert taken_by_the_fake - published(ask) == set()


@pytest.mark.anyio
async def test_what_is_asked_of_twilio_is_known_to_its_client_and_written_as_it_wants_it(ours: House):
    carrier = ours.carrier()
    await carrier.place(ours.dial())
    await carrier.place(ours.dial(channel=Channel.TEXT))
    await carrier.close()
    (call,), (text,) = ours.fake.calls.values(), ours.fake.texts.values()
    assert set(call.asked) - published(lambda client: client.calls.create) == set()
    assert set(text.asked) - published(lambda client: client.messages.create) == set()
    # The call resource's StatusCallbackEvent, as its documentation names them.
    assert set(call.asked["StatusCallbackEvent"]) <= {"initiated", "ringing", "answered", "completed"}
    assert call.parameter("MachineDetection") in ("Enable", "DetectMessageEnd")
    assert call.parameter("Timeout").isdecimal()
    assert call.parameter("TimeLimit").isdecimal()


class Read(dict[str, Any]):
    """A payload that notes which fields a client reads."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return default


def fields_read_by(make: Callable[[Read], Any]) -> set[str]:
    payload = Read()
    make(payload)
    return payload.names


@pytest.mark.anyio
async def test_the_fake_twilio_answers_only_with_fields_that_its_client_reads(ours: House):
    carrier = ours.carrier()
    await carrier.place(ours.dial())
    await carrier.place(ours.dial(channel=Channel.TEXT))
    await carrier.close()
    (call,), (text,) = ours.fake.calls.values(), ours.fake.texts.values()
    read = fields_read_by(lambda payload: CallInstance(None, payload, "AC1"))
    assert set(ours.fake._call_json(call)) - read == set()
    read = fields_read_by(lambda payload: MessageInstance(None, payload, "AC1"))
    assert set(ours.fake._text_json(text)) - read == set()


def test_the_fake_studio_answers_only_with_fields_that_its_client_reads():
    fake = fake_studio.FakeStudio(definition())
    fake.handsets[NUMBER] = Handset(keys=["1"])
    fake.executions["FN1"] = run = fake_studio.Execution(
        "FN" + "0" * 32, NUMBER, {"flow": {"data": DATA}, "widgets": {}}, NOW
    )
    fake._waiting.append(run)
    fake.play()
    fake.close()
    read = fields_read_by(lambda payload: ExecutionInstance(None, payload, "FW1"))
    assert set(fake._execution_json(run)) - read == set()
    read = fields_read_by(lambda payload: ExecutionStepInstance(None, payload, "FW1", "FN1"))
    assert {name for step in run.steps for name in step} - read == set()
    assert fake.unexpected == []


DATA = dict.fromkeys(("message", "prompt", "wrong", "no_key", "recorded_1", "recorded_2", "recorded_0"), "…")


@pytest.mark.parametrize(
    ("verb", "method"),
    [
        ("Say", VoiceResponse.say),
        ("Pause", VoiceResponse.pause),
        ("Redirect", VoiceResponse.redirect),
        ("Hangup", VoiceResponse.hangup),
        ("Gather", VoiceResponse.gather),
    ],
)
def test_the_fake_telephone_knows_no_attribute_that_the_vendor_s_documents_do_not_have(verb: str, method: Any):
    def camel(name: str) -> str:
        head, *rest = name.split("_")
        return head + "".join(part.capitalize() for part in rest)

    assert VERBS[verb] - {camel(name) for name in inspect.signature(method).parameters} == set()


def names_of(model: Any) -> set[str]:
    """Return the names that a model of Aliyun's client writes, all fields set."""
    made = model()
    for name in inspect.signature(model.__init__).parameters:
        if name not in ("self", "kwargs"):
            setattr(made, name, [] if name.endswith("_map") else "x")
    return set(made.to_map())


@pytest.mark.anyio
async def test_what_is_asked_of_aliyun_is_known_to_its_client_and_written_as_it_wants_it(mainland: Mainland):
    carrier = mainland.carrier(repeat_template="TTS_1004")
    placed = await carrier.place(mainland.dial())
    await carrier.place(mainland.dial(channel=Channel.TEXT, cause="2"))
    mainland.play(MainlandHandset(key="1"))
    await carrier.look_up(mainland.dial(), placed.vendor_id)
    await carrier.close()
    (call,), (text,) = mainland.fake.calls.values(), mainland.fake.texts.values()
    assert set(call.asked) - names_of(voice.IvrCallRequest) == set()
    assert {name for key in call.asked["MenuKeyMap"] for name in key} - names_of(
        voice.IvrCallRequestMenuKeyMap
    ) == set()
    assert set(text.asked) - names_of(texts.SendSmsRequest) == set()
    assert len(call.asked["OutId"].encode()) <= 15
    assert call.asked["Timeout"].isdecimal()


@pytest.mark.parametrize(
    ("answer", "model"),
    [
        ({"Code": "OK", "Message": "OK", "RequestId": "R", "CallId": "1"}, voice.IvrCallResponseBody),
        ({"Code": "OK", "Message": "OK", "RequestId": "R", "CallId": "1"}, voice.SingleCallByTtsResponseBody),
        ({"Code": "OK", "Message": "OK", "RequestId": "R", "Data": "{}"}, voice.QueryCallDetailByCallIdResponseBody),
        ({"Code": "OK", "Message": "OK", "RequestId": "R", "BizId": "1"}, texts.SendSmsResponseBody),
        (
            {
                "Code": "OK",
                "Message": "OK",
                "RequestId": "R",
                "MessageTokenDTO": {
                    "AccessKeyId": "k",
                    "AccessKeySecret": "s",
                    "SecurityToken": "t",
                    "CreateTime": "",
                    "ExpireTime": "",
                },
            },
            tokens.QueryTokenForMnsQueueResponseBody,
        ),
    ],
)
def test_what_the_fake_aliyun_answers_is_read_whole_by_its_client(answer: Mapping[str, Any], model: Any):
    assert model().from_map(dict(answer)).to_map() == dict(answer)


def test_the_keys_of_an_answer_s_details_are_read_by_the_vendor_s_client(mainland: Mainland):
    details = {"PhoneNum": "1", "OutId": "o", "SendStatus": 3, "ErrCode": "DELIVERED", "SendDate": "d"}
    model = texts.QuerySendDetailsResponseBodySmsSendDetailDTOsSmsSendDetailDTO
    assert model().from_map(details).to_map() == details


def test_every_action_that_the_fake_knows_is_one_of_the_vendor_s_clients():
    for action, model in REQUESTS.items():
        assert model.__name__ == f"{action}Request"
