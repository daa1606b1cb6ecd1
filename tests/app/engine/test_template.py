"""A template is a stranger's program: it renders the conversation, within bounds, or is refused."""

from __future__ import annotations

import resource
import signal
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine import template
from app.engine.messages import Message
from app.engine.template import (
    CHATML,
    LONGEST_TEMPLATE,
    PLAIN,
    ChatTemplate,
    Segment,
    choose_template,
)
from app.errors import BadInputError
from tests.app.engine import chat_templates

SYSTEM = Message("system", "Be careful.")
TALK = [
    Message("user", "What is glaucoma?"),
    Message("assistant", " A disease of the eye."),
    Message("user", "And its signs?"),
]
PEAK_SLACK = 700 << 20
"""Bytes that the bounds leave a template, and a little."""


def text(source: str, messages: list[Message]) -> str:
    segments = ChatTemplate(source, "<s>", "</s>").render(messages)
    return "".join(segment.text for segment in segments)


def test_contents_stand_apart_from_the_template() -> None:
    assert ChatTemplate(chat_templates.CHATML, "<s>", "</s>").render([SYSTEM, TALK[0]]) == [
        Segment("<s><|im_start|>system\n"),
        Segment("Be careful.", "system"),
        Segment("<|im_end|>\n<|im_start|>user\n"),
        Segment("What is glaucoma?", "user"),
        Segment("<|im_end|>\n<|im_start|>assistant\n"),
    ]


EXPECTED = {
    "CHATML": "<s><|im_start|>system\nBe careful.<|im_end|>\n<|im_start|>user\nWhat is glaucoma?"
    "<|im_end|>\n<|im_start|>assistant\n A disease of the eye.<|im_end|>\n<|im_start|>user\n"
    "And its signs?<|im_end|>\n<|im_start|>assistant\n",
    "LLAMA_3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe careful.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWhat is glaucoma?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n A disease of the eye.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nAnd its signs?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "GEMMA": "<s><start_of_turn>user\nBe careful.\n\nWhat is glaucoma?<end_of_turn>\n"
    "<start_of_turn>model\n A disease of the eye.<end_of_turn>\n"
    "<start_of_turn>user\nAnd its signs?<end_of_turn>\n<start_of_turn>model\n",
    "MISTRAL": "<s>[INST] Be careful.\n\nWhat is glaucoma? [/INST] A disease of the eye.</s>"
    "[INST] And its signs? [/INST]",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_public_forms_render_as_their_models_expect(name: str) -> None:
    """Gemma and Mistral refuse a system role: it goes before the first question."""
    assert text(getattr(chat_templates, name), [SYSTEM, *TALK]) == EXPECTED[name]


def test_a_dropped_system_message_goes_before_the_first_question() -> None:
    assert text(chat_templates.DROPS_SYSTEM, [SYSTEM, TALK[0]]).startswith(
        "<|im_start|>user\nBe careful.\n\nWhat is glaucoma?<|im_end|>"
    )


def test_a_template_that_loses_a_turn_is_refused() -> None:
    with pytest.raises(BadInputError, match="loses a part"):
        text(chat_templates.LAST_ONLY, TALK)


def test_a_refusal_without_a_system_message_is_told_in_its_words() -> None:
    with pytest.raises(BadInputError, match="refuses: Roles must alternate"):
        text(chat_templates.GEMMA, [TALK[1]])


def test_a_refusal_cannot_speak_to_the_terminal() -> None:
    with pytest.raises(BadInputError) as caught:
        text("{{ raise_exception('a\x1b]52;c;eA==\x07b\n' ~ 'c' | center(9000)) }}", TALK)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300


def test_there_is_no_clock() -> None:
    assert text(chat_templates.CHATML_WITH_CLOCK, TALK) == text(chat_templates.CHATML, TALK)
    with pytest.raises(BadInputError):
        text("{{ strftime_now('%H') }}" + chat_templates.CHATML, TALK)


HOSTILE = {
    "attribute walk": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attribute walk by filter": "{{ ''|attr('__class__')|attr('__mro__') }}",
    "globals of a function": "{{ raise_exception.__globals__ }}",
    "globals of lipsum": "{{ lipsum.__globals__['os'].popen('id') }}",
    "format string": "{{ '{0.__class__.__mro__}'.format(1) ~ nothing.there }}",
    "changes the messages": "{{ messages.append(1) }}",
    "file": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "undefined": "{{ messages[0].nothing.there }}",
    "division": "{{ 1 / 0 }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a runtime error": "{{ cycler() }}",
    "unknown filter": "{{ messages | shell }}",
    "not a template": "{% for %}",
    "unclosed": "{{ '",
    "nested too deep": "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
    "parentheses too deep": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a number without end": "{{ " + "9" * 5000 + " }}",
    "stand-ins of its own making": "{{ messages[0].content[:-2] ~ '77\ue001' }}",
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_what_a_template_must_not_do_is_refused_in_a_sentence(attack: str) -> None:
    with pytest.raises(BadInputError, match=r"^The model's chat template .*\.$"):
        text(HOSTILE[attack], TALK)


ENDLESS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}"
    "{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "lipsum": "{{ lipsum(n=999999999) }}",
    "growing number": "{% set n = namespace(x=3) %}"
    "{% for i in range(99999) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "multiplied text": "{{ 'a' * 9999999999 }}",
    "multiplied list": "{{ ([0] * 9999999999) | length }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "rounding": "{{ 1.5 | round(999999999, 'ceil') }}",
    "format": "{{ '%99999999999d' % 1 }}",
    "format method": "{{ '{:99999999999}'.format(1) }}",
    "centred": "{{ 'a' | center(99999999999) }}",
    "centred, within the machine's memory": "{{ 'a' | center(1900000000) }}",
    "centred at run time": "{{ messages[0].role | center(1900000000) }}",
    "doubled": "{% set n = namespace(x='aaaaaaaa') %}"
    "{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "replaced": "{% set n = namespace(x='aaaaaaaa') %}"
    "{% for i in range(9) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
    "batched": "{{ [1] | batch(9999999999, 0) | list }}",
    "indented": "{{ ('a\n' | center(99999)) | indent(99999999999) }}",
}


@pytest.mark.parametrize("bomb", ENDLESS)
def test_no_template_takes_long_or_much(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if bomb != "nested loops":  # one is given the time that all have in earnest
        monkeypatch.setattr(template, "RENDER_SECONDS", 0.3)
    earlier = (signal.getsignal(signal.SIGALRM), resource.getrlimit(resource.RLIMIT_AS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.monotonic()
    with pytest.raises(BadInputError, match=r"^The model's chat template .*\.$"):
        text(ENDLESS[bomb], TALK)
    assert time.monotonic() - started < 4.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < peak + PEAK_SLACK
    assert (signal.getsignal(signal.SIGALRM), resource.getrlimit(resource.RLIMIT_AS)) == earlier
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_huge_template_is_refused_unread() -> None:
    with pytest.raises(BadInputError, match="far longer"):
        ChatTemplate("a" * (LONGEST_TEMPLATE + 1), "<s>", "</s>")


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_any_content_comes_through_untouched(contents: list[str]) -> None:
    messages = [
        Message("user" if place % 2 == 0 else "assistant", content)
        for place, content in enumerate(contents)
    ]
    segments = ChatTemplate(CHATML, "<s>", "</s>").render(messages)
    assert [(one.role, one.text) for one in segments if one.role] == [
        (message.role, message.content) for message in messages
    ]


def test_an_empty_content_is_no_loss() -> None:
    assert text(CHATML, [Message("system", ""), TALK[0]]).startswith("<s><|im_start|>system\n<|im_")


def test_without_a_template_the_fallback_is_stated() -> None:
    assert choose_template("{{ x }}", has_chatml=True) == ("{{ x }}", "file")
    for source in (None, ""):
        assert choose_template(source, has_chatml=True)[0] == CHATML
        assert choose_template(source, has_chatml=False)[0] == PLAIN
    assert "none in the file" in choose_template(None, has_chatml=False)[1]
    assert text(PLAIN, [SYSTEM, *TALK]).endswith("User: And its signs?\n\nAssistant: ")
    assert text(CHATML, [SYSTEM, *TALK]) == text(chat_templates.CHATML, [SYSTEM, *TALK])
