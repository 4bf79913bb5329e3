"""The official client against a started server, a line for each case.

openai_client.py CHAT_URL TOOLS_URL KEY MODEL      (needs: pip install openai)
CHAT_URL serves a model that chats, TOOLS_URL one whose chat template defines tool calls.
"""
import json
import sys

import openai

CHAT_URL, TOOLS_URL, KEY, MODEL = sys.argv[1:]
chat = openai.OpenAI(base_url=CHAT_URL, api_key=KEY, max_retries=0, timeout=60)
tools = openai.OpenAI(base_url=TOOLS_URL, api_key=KEY, max_retries=0, timeout=60)

MESSAGES = [
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": "What is the capital of France?"},
]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Rome", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("weather", "time")]


def ask(**more):
    settings = {"model": MODEL, "messages": MESSAGES, "temperature": 0, "max_completion_tokens": 12} | more
    return chat.chat.completions.create(**settings)


def ask_tools(**more):
    settings = {"model": MODEL, "messages": [{"role": "user", "content": "Rome?"}], "tools": TOOLS,
                "parallel_tool_calls": False, "temperature": 0, "max_completion_tokens": 200} | more
    return tools.chat.completions.create(**settings)


def check_call(choice, *names):
    assert choice.finish_reason == "tool_calls", choice
    (call,) = choice.message.tool_calls
    assert call.function.name in names, call
    assert json.loads(call.function.arguments)["city"] in ("Rome", "Oslo"), call
    return call


def whole():
    answer = ask()
    assert "Paris" in answer.choices[0].message.content, answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def streaming():
    text, usage = "", None
    for chunk in ask(stream=True, stream_options={"include_usage": True}):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert text == ask().choices[0].message.content, text
    assert usage.completion_tokens > 0


def completions():
    settings = {"model": MODEL, "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}
    text = chat.completions.create(**settings).choices[0].text
    streamed = "".join(c.choices[0].text for c in chat.completions.create(stream=True, **settings) if c.choices)
    assert text and text == streamed, (text, streamed)


def responses():
    settings = {"model": MODEL, "input": "What is the capital of France?", "temperature": 0, "max_output_tokens": 16}
    answer = chat.responses.create(**settings)
    assert answer.output_text, answer
    events = list(chat.responses.create(stream=True, **settings))
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == answer.output_text and events[-1].type in ("response.completed", "response.incomplete"), text


def json_schema():
    answer = ask(response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}},
                 max_completion_tokens=60)
    assert json.loads(answer.choices[0].message.content)["city"] in ("Rome", "Oslo"), answer


def json_object():
    answer = ask(response_format={"type": "json_object"}, max_completion_tokens=200)
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict), answer
    else:
        assert answer.choices[0].message.content.startswith("{"), answer


def several():
    answer = ask(n=3, temperature=1, seed=3)
    assert sorted(choice.index for choice in answer.choices) == [0, 1, 2], answer
    streamed = {}
    for chunk in ask(n=3, temperature=1, seed=3, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] = streamed.get(choice.index, "") + (choice.delta.content or "")
    assert streamed == {c.index: c.message.content for c in answer.choices}, streamed


def logprobs():
    answer = ask(logprobs=True, top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    assert tokens and all(t.logprob <= 0 and len(t.top_logprobs) == 3 for t in tokens), tokens
    assert all(t.top_logprobs[0].token == t.token for t in tokens), tokens


def tools_required():
    check_call(ask_tools(tool_choice="required").choices[0], "weather", "time")


def tools_named():
    named = {"type": "function", "function": {"name": "time"}}
    answer = ask_tools(tool_choice=named).choices[0]
    call = check_call(answer, "time")
    history = [{"role": "user", "content": "Rome?"}, answer.message.model_dump(exclude_none=True),
               {"role": "tool", "tool_call_id": call.id, "content": "It is noon."}]
    assert ask_tools(messages=history, tool_choice="none", max_completion_tokens=8).choices[0].message.content


def tools_auto():
    free = ask_tools(tool_choice="auto", max_completion_tokens=20).choices[0]
    assert free.finish_reason in ("stop", "length") and free.message.content, free
    led = ask_tools(extra_body={"guided_regex": '<tool_call>\\{"name": "time", "arguments": \\{"city": "Oslo"\\}\\}</tool_call>'})
    check_call(led.choices[0], "time")


def tools_streaming():
    name, arguments, parts = "", "", 0
    for chunk in ask_tools(tool_choice="required", stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
                parts += 1
    assert parts > 3, parts
    assert name in ("weather", "time") and json.loads(arguments)["city"] in ("Rome", "Oslo"), (name, arguments)


def models():
    assert [model.id for model in chat.models.list()] == [MODEL]
    assert chat.models.retrieve(MODEL).id == MODEL


def refused(kind, code, call):
    try:
        call()
    except kind as error:
        assert error.status_code == code and error.body, error
    else:
        raise AssertionError(f"no {kind.__name__}")


def errors():
    refused(openai.BadRequestError, 400, lambda: ask(temperature=9))
    refused(openai.BadRequestError, 400, lambda: ask(messages=[{"role": "user", "content": "word " * 20_000}]))
    refused(openai.BadRequestError, 400, lambda: ask(stop=5))
    refused(openai.NotFoundError, 404, lambda: ask(model="another"))
    stranger = openai.OpenAI(base_url=CHAT_URL, api_key="sk-wrong", max_retries=0)
    refused(openai.AuthenticationError, 401, lambda: stranger.models.list())


def cancelled_stream():
    stream = ask(stream=True, max_completion_tokens=500)
    next(iter(stream))
    stream.close()
    whole()


CASES = [whole, streaming, completions, responses, json_schema, json_object, several, logprobs, tools_required,
         tools_named, tools_auto, tools_streaming, models, errors, cancelled_stream]
failed = 0
for case in CASES:
    try:
        case()
        print(f"ok   {case.__name__}", flush=True)
    except Exception as error:  # the other cases still run
        failed += 1
        print(f"FAIL {case.__name__}: {type(error).__name__}: {error}", flush=True)
print(f"openai {openai.__version__}: {len(CASES) - failed} of {len(CASES)} cases")
sys.exit(1 if failed else 0)
