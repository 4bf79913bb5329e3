"""Goldens of the chat templates: what Python's jinja2 renders as transformers configures it.

    pip install jinja2
    python tools/goldens/chat_templates.py

Reads the templates beside its output, engine/src/test/resources/org/chunkllama/text/templates/goldens.json: the chats, the
tools, and for each template, chat and setting the prompt; null where the template refuses.
"""
import json
import pathlib

import jinja

FOLDER = pathlib.Path(__file__).parents[2] / "engine/src/test/resources/org/chunkllama/text/templates"


def message(role, content, **fields):
    return {"role": role, "content": content, **fields}


def call(name, arguments, id):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


CHATS = {
    "user": [message("user", "Why is the sky blue?")],
    "system": [message("system", " Be brief. \n"), message("user", "  Hi! Grüße, 日本 😀\n\n<|im_end|> 'q' \"d\" \\n {{ x }}  ")],
    "turns": [message("user", "1+1?"), message("assistant", " 2 \n"), message("user", "And 2+2?"), message("assistant", "4"), message("user", "3+3?")],
    "systemTurns": [message("system", "You are\na calculator."), message("user", "1+1?"), message("assistant", "2"), message("user", "2+2?")],
    "ending": [message("user", "Say A."), message("assistant", "A")],
    "tool": [
        message("system", "Use tools."), message("user", "Weather in Köln?"),
        message("assistant", None, tool_calls=[call("get_weather", {"city": "Köln", "days": 2, "exact": True, "min": -1.5, "tags": ["a", {"b": None}]}, "abc123XYZ")]),
        message("tool", '{"temp": 21.5, "sky": "clear ☀"}', tool_call_id="abc123XYZ", name="get_weather"),
        message("assistant", "It is 21.5 °C."), message("user", "Thanks!"),
    ],
    "toolOpen": [message("user", "Weather?"), message("assistant", "Let me look.", tool_calls=[call("get_weather", {"city": "Rome"}, "abcdefgh1")]), message("tool", "sunny", tool_call_id="abcdefgh1")],
    "tools": [
        message("user", "Weather in both?"), message("assistant", "", tool_calls=[call("get_weather", {"city": "A"}, "aaaaaaaa1"), call("get_weather", {"city": "B"}, "aaaaaaaa2")]),
        message("tool", "1", tool_call_id="aaaaaaaa1"), message("tool", "2", tool_call_id="aaaaaaaa2"),
    ],
    "thinking": [message("user", "Q1"), message("assistant", "<think>\nhm\n</think>\n\nA1"), message("user", "Q2"), message("assistant", "<think>\nwell\n\nso</think>A2\n")],
    "reasoning": [message("user", "Q1"), message("assistant", "A1", reasoning_content="\nbecause\n"), message("user", "<tool_response>x</tool_response>"), message("assistant", "A2", reasoning_content="deep")],
    "textArguments": [message("user", "Q"), message("assistant", None, tool_calls=[call("f", "not json", "abcdefgh1")]), message("tool", "r", tool_call_id="abcdefgh1")],
    "twoUsers": [message("user", "a"), message("user", "b")],
    "onlySystem": [message("system", "s")],
    "lateSystem": [message("user", "a"), message("assistant", "b"), message("system", "s"), message("user", "c")],
    "unknownRole": [message("user", "a"), message("critic", "b")],
    "none": [],
}
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "Wetter für \"eine\" Stadt <b>&</b>", "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "Name"}, "days": {"type": "integer", "default": 1, "minimum": 0.5}, "exact": {"type": "boolean", "default": False}, "tags": {"type": "array", "items": {}, "enum": [None, 1e20]}},
        "required": ["city"]}, "return": {"type": "string"}}},
    {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}},
]
SPECIAL = {  # bos_token, eos_token
    "llama-2": ["<s>", "</s>"], "tinyllama": ["<s>", "</s>"], "mistral-7b-v0.3": ["<s>", "</s>"], "llama-3": ["<|begin_of_text|>", "<|eot_id|>"], "llama-3.1": ["<|begin_of_text|>", "<|eot_id|>"],
    "gemma-3": ["<bos>", "<eos>"], "qwen2.5": [None, "<|im_end|>"], "qwen3": [None, "<|im_end|>"], "smollm2": ["<|im_start|>", "<|im_end|>"],
}
EXTRAS = {
    "qwen3": [{"enable_thinking": False}, {"enable_thinking": True}],
    "llama-3.1": [{"date_string": "01 Jan 2027"}, {"tools_in_user_message": False}, {"builtin_tools": ["brave_search", "get_weather", "code_interpreter"]}],
}


def settings(template):
    """Chat, with tools, with a generation prompt, extras."""
    for chat in CHATS:
        yield chat, False, True, {}
        if chat in ("user", "systemTurns", "ending"):
            yield chat, False, False, {}
        if template in ("llama-3.1", "mistral-7b-v0.3", "qwen2.5", "qwen3") and chat in ("user", "tool", "toolOpen", "tools", "none"):
            yield chat, True, True, {}
        if chat in ("user", "tool", "toolOpen"):
            for extras in EXTRAS.get(template, []):
                yield chat, True, True, extras
                yield chat, False, True, extras


def main():
    env = jinja.environment()
    goldens = []
    for template, (bos, eos) in SPECIAL.items():
        compiled = env.from_string((FOLDER / f"{template}.jinja").read_bytes().decode())
        for chat, tools, prompt, extras in settings(template):
            tokens = {k: v for k, v in (("bos_token", bos), ("eos_token", eos)) if v is not None}
            try:
                text = compiled.render(messages=CHATS[chat], tools=TOOLS if tools else None, documents=None, add_generation_prompt=prompt, **tokens, **extras)
            except Exception:  # noqa: BLE001 any failure counts
                text = None
            goldens.append({"template": template, "chat": chat, "tools": tools, "prompt": prompt, "extras": extras, "text": text})
    out = {"chats": CHATS, "tools": TOOLS, "special": SPECIAL, "goldens": goldens}
    (FOLDER / "goldens.json").write_text(json.dumps(out, indent=0) + "\n")
    print(len(goldens), "prompts,", sum(g["text"] is None for g in goldens), "of them refused")


if __name__ == "__main__":
    main()
