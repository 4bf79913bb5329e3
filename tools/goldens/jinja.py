r"""Goldens of the Jinja subset: templates, values, and what Python's jinja2 renders as transformers configures it.

    pip install jinja2
    python tools/goldens/jinja.py

Writes engine/src/test/resources/org/chunkllama/text/jinja/cases.json: objects of template, values, and output; output null
means that jinja2 fails. Chat templates have goldens of their own: chat_templates.py.
"""
import datetime
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUT = pathlib.Path(__file__).parents[2] / "engine/src/test/resources/org/chunkllama/text/jinja/cases.json"
NOW = datetime.datetime(2026, 7, 4, 9, 5, 3)  # as the Java test's clock


class Generation(jinja2.ext.Extension):
    """{% generation %} as transformers has it when nobody asks for the assistant's mask."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return env


VALUES = {
    "s": "Hello, Wörld 😀!", "empty": "", "pad": "  \t x y \n ", "n": 7, "z": 0, "neg": -3, "f": 2.5, "t": True, "no": False, "nil": None,
    "xs": [3, 1, 2], "names": ["bob", "Alice", "carol", "alice"], "d": {"b": 1, "a": [1, 2], "C": None, "key with space": "v"},
    "people": [{"name": "Ann", "age": 30, "tags": ["x"]}, {"name": "bob", "age": 25, "tags": []}, {"name": "Cy", "age": 30}],
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, {"role": "assistant", "content": None}],
    "nested": {"a": {"b": [{"c": "deep"}]}}, "items_key": {"items": 1, "keys": 2}, "quote": "it's \"q\"", "html": "<a href='x'>&</a>", "lines": "a\nb\r\n\nc",
    "json": {"u": "ü😀\u2028", "ctl": "\x01\x7f\t\n\"\\/", "num": [1, 1.0, 1e20, -0.5, 1e-7], "t": True, "nil": None, "e": {}, "l": []},
}

EXPRESSIONS = r"""
n ¦ s ¦ f ¦ t ¦ nil ¦ xs ¦ d ¦ empty ¦ undefined_name ¦ no
1 ¦ 1.0 ¦ 1e3 ¦ 1.5e-7 ¦ 1_000 ¦ 0x1F ¦ 0b101 ¦ 0o17 ¦ 'a' "b" ¦ 'a\n\t\\\'\x41\u00e9' ¦ "\q" ¦ true ¦ True ¦ none ¦ None ¦ [] ¦ {} ¦ () ¦ (1,) ¦ (1,2) ¦ [1,'a',none] ¦ {'a':1,2:'b'}
n + 1 ¦ n - 10 ¦ n * 2 ¦ n / 2 ¦ n // 2 ¦ neg // 2 ¦ n % 3 ¦ neg % 3 ¦ f % 2 ¦ 2 ** 3 ¦ 2 ** -1 ¦ 2 ** 3 ** 2 ¦ -2 ** 2 ¦ -n ¦ +n ¦ 7 / 7 ¦ 1e300 * 1e10 ¦ 7.0 // 2 ¦ -7.5 // 2 ¦ t + t ¦ t * 3 ¦ -t
0.1 + 0.2 ¦ 1e16 ¦ 1e15 ¦ 123456789012345680.0 ¦ 1e-4 ¦ 0.00001 ¦ 1.0e100 ¦ -0.0 ¦ 100.0 ¦ 3.14159 ¦ 5e-324 ¦ 1.7976931348623157e308 ¦ 2.0**70
'a' + 'b' ¦ 'a' * 3 ¦ 3 * 'ab' ¦ 'a' * -1 ¦ [1] + [2] ¦ [0] * 3 ¦ (1,) + (2,) ¦ 'a' ~ 1 ~ none ~ [1] ~ undefined_name ¦ '%s-%d' % ('a', 3) ¦ '%s' % xs ¦ '%5.2f|%-4d|%04d|%+d' % (f, 1, 2, 3) ¦ '%x %X %o %e' % (255, 255, 8, 12345.678) ¦ '100%%' % () ¦ '%r' % 'a'
1 == 1.0 ¦ 1 == true ¦ 'a' == 'a' ¦ [1,2] == [1,2] ¦ [1] == (1,) ¦ {'a':1} == {'a':1.0} ¦ none == none ¦ undefined_name == undefined_name ¦ undefined_name == none ¦ 1 != 2 ¦ 'a' < 'b' ¦ [1,2] < [1,3] ¦ (1,) < (1,0) ¦ 1 < 2 < 3 ¦ 1 < 3 < 2 ¦ 1 < 2 > 0 ¦ 'Z' < 'a' ¦ 'é' > 'z' ¦ 2 >= 2.0 ¦ '\ufb00' < '😀'
1 in xs ¦ 9 in xs ¦ 'ell' in s ¦ 'a' in d ¦ 'zz' not in d ¦ 1 in (1,2) ¦ '' in '' ¦ nil in [none] ¦ not 1 in xs ¦ undefined_name in [1] ¦ 1 in undefined_name ¦ 'b' in d.keys()
t and n ¦ z or 'x' ¦ empty or nil ¦ nil and n ¦ not t ¦ not undefined_name ¦ t and z and n ¦ z or no or empty ¦ not not n ¦ (1 if t) ¦ (1 if no) ¦ 1 if t else 2 ¦ 1 if no else 2 if no else 3 ¦ 'a' if undefined_name else 'b'
xs[0] ¦ xs[-1] ¦ xs[9] ¦ xs['a'] ¦ s[0] ¦ s[-2] ¦ s[14] ¦ d.b ¦ d['b'] ¦ d.missing ¦ d['missing'] ¦ d['key with space'] ¦ d.a[1] ¦ d.a.0 ¦ nested.a.b[0].c ¦ nested['a'].b.0['c'] ¦ xs.0 ¦ items_key.items ¦ items_key['items'] ¦ xs[true] ¦ nil.x ¦ nil['x'] ¦ n.x ¦ s.foo ¦ messages[0].role ¦ (1,2)[1]
xs[1:] ¦ xs[:-1] ¦ xs[::-1] ¦ xs[::2] ¦ xs[5:] ¦ xs[-2:] ¦ xs[:0] ¦ s[1:4] ¦ s[::-1] ¦ s[-2:] ¦ s[:5] ¦ s[13:15] ¦ xs[2:0:-1] ¦ xs[-100:100] ¦ xs[none:2] ¦ (1,2,3)[1:] ¦ s[10:2:-3] ¦ xs[3:1:-9] ¦ messages[1:] ¦ undefined_name or xs[1:][0]
s.upper() ¦ s.lower() ¦ s.title() ¦ s.capitalize() ¦ s.swapcase() ¦ 'straße'.upper() ¦ 'ǆabc'.title() ¦ 'ßx'.capitalize() ¦ "they're bill's".title() ¦ pad.strip() ¦ pad.lstrip() ¦ pad.rstrip() ¦ 'xxaxx'.strip('x') ¦ 'abcba'.strip('ab') ¦ 'xyx'.lstrip('x') ¦ 'xyx'.rstrip('x') ¦ '\u00a0x\u3000'.strip() ¦ '\u200bx'.strip()
'a,b,,c'.split(',') ¦ ' a  b c '.split() ¦ 'a b c'.split(' ', 1) ¦ 'a b c d'.split(none, 2) ¦ 'a b c'.rsplit(' ', 1) ¦ 'a  b  c '.rsplit(none, 1) ¦ 'abc'.split('x') ¦ ''.split() ¦ ''.split(',') ¦ lines.splitlines() ¦ lines.splitlines(true) ¦ 'a=b=c'.partition('=') ¦ 'a=b=c'.rpartition('=') ¦ 'abc'.partition('x') ¦ '</think>a'.split('</think>')[-1] ¦ 'a😀b😀c'.rsplit('😀', 1)
s.startswith('Hell') ¦ s.endswith('!') ¦ s.startswith(('x','H')) ¦ s.endswith('x') ¦ s.find('l') ¦ s.find('zz') ¦ s.rfind('l') ¦ s.find('😀') ¦ s.find('!') ¦ s.index('W') ¦ s.count('l') ¦ s.count('') ¦ 'aaaa'.count('aa') ¦ s.startswith('ello', 1) ¦ s.find('l', 4) ¦ 'abc'.find('', 2)
s.replace('l', 'L') ¦ s.replace('l', 'L', 1) ¦ 'abc'.replace('', '-') ¦ 'abc'.replace('', '-', 2) ¦ ', '.join(['a','b']) ¦ ','.join([]) ¦ ''.join(d.keys()) ¦ 'abc'.removeprefix('a') ¦ 'abc'.removesuffix('c') ¦ 'abc'.removeprefix('x') ¦ '7'.zfill(3) ¦ '-7'.zfill(4) ¦ 'ab'.center(7) ¦ 'abc'.center(6,'*') ¦ 'abc'.center(7,'*') ¦ 'ab'.center(5,'*') ¦ 'ab'.ljust(4,'.') ¦ 'ab'.rjust(4)
'12'.isdigit() ¦ '²'.isdigit() ¦ '½'.isnumeric() ¦ 'a1'.isalnum() ¦ 'ab'.isalpha() ¦ ''.isalpha() ¦ 'AB1'.isupper() ¦ 'ab1'.islower() ¦ '1'.islower() ¦ ' \t'.isspace() ¦ 'é'.isascii()
'{} {}'.format(1,'a') ¦ '{1}-{0}'.format('a','b') ¦ '{x:>5}|{x:<5}|{x:^5}'.format(x='ab') ¦ '{:05.1f}'.format(3.14159) ¦ '{:,}'.format(1234567) ¦ '{:+d} {:x}'.format(5, 255) ¦ '{!r}'.format('a') ¦ '{{}}'.format() ¦ '{:.2%}'.format(0.256) ¦ '{0.b} {0[a]}'.format(d) ¦ '{:*^9}'.format('mid') ¦ '{:6}|'.format(42) ¦ '{:<6}|'.format(42) ¦ '{}'.format(1.0) ¦ '{:.3}'.format('abcdef') ¦ '{:e}'.format(0.00012) ¦ '{}'.format(true)
d.items() ¦ d.keys() ¦ d.values() ¦ d.get('b') ¦ d.get('zz') ¦ d.get('zz', 5) ¦ d.items()|list ¦ d.items()|length ¦ xs.index(1) ¦ xs.count(3) ¦ d.copy() ¦ xs.append(1) ¦ d.update({})
s|upper ¦ s|lower ¦ s|title ¦ s|capitalize ¦ "they're o'neil-x (abc) [d"|title ¦ pad|trim ¦ 'xxaxx'|trim('x') ¦ s|length ¦ xs|length ¦ d|length ¦ undefined_name|length ¦ undefined_name|upper ¦ undefined_name|trim ¦ nil|upper ¦ n|string ¦ f|string ¦ s|reverse ¦ xs|reverse|list ¦ xs|first ¦ xs|last ¦ []|first ¦ []|last ¦ s|first ¦ s|last ¦ d|first ¦ d|list ¦ s|list|safe ¦ html|escape ¦ html|e ¦ html|safe
xs|join ¦ xs|join(', ') ¦ names|join('|') ¦ people|join(', ', attribute='name') ¦ people|map(attribute='name')|join(',') ¦ people|map(attribute='tags.0')|list ¦ people|map(attribute='tags.0', default='-')|list ¦ names|map('upper')|list ¦ names|map('replace', 'a', 'A')|join(' ') ¦ xs|map('string')|join('+') ¦ xs|sum ¦ people|sum(attribute='age') ¦ xs|sum(start=10) ¦ xs|min ¦ xs|max ¦ names|min ¦ names|max ¦ people|max(attribute='age') ¦ []|max
xs|sort ¦ xs|sort(reverse=true) ¦ names|sort ¦ names|sort(case_sensitive=true) ¦ people|sort(attribute='age')|map(attribute='name')|list ¦ people|sort(attribute='age,name', reverse=true)|map(attribute='name')|list ¦ names|unique|list ¦ names|unique(true)|list ¦ [1,1.0,true,2]|unique|list ¦ d|dictsort ¦ d|dictsort(true) ¦ {'b':1,'a':2}|dictsort(by='value') ¦ {'b':1,'a':2}|dictsort(reverse=true) ¦ [3,'a']|sort ¦ [[2,1],[1,5],[1,2]]|sort
xs|select('odd')|list ¦ xs|reject('odd')|list ¦ xs|select('gt', 1)|list ¦ [0,1,'',none]|select|list ¦ [0,1,'',none]|reject|list ¦ people|selectattr('tags')|map(attribute='name')|list ¦ people|rejectattr('tags')|map(attribute='name')|list ¦ people|selectattr('age', 'equalto', 30)|map(attribute='name')|list ¦ messages|selectattr('role', '==', 'user')|list ¦ messages|rejectattr('role', 'in', ['user','system'])|list ¦ people|selectattr('tags', 'defined')|list|length ¦ messages|selectattr('content', 'none')|map(attribute='role')|list
f|round ¦ 2.675|round(2) ¦ 0.5|round ¦ 1.5|round ¦ 2.5|round ¦ 42|round ¦ 42.55|round(1,'floor') ¦ 42.51|round(0,'ceil') ¦ 1234|round(-2) ¦ -2.5|round ¦ neg|abs ¦ -2.5|abs ¦ '12'|int ¦ '12.7'|int ¦ 'x'|int ¦ 'x'|int(5) ¦ ' 42 '|int ¦ '0x1f'|int(0,16) ¦ '1f'|int(0,16) ¦ nil|int ¦ t|int ¦ 3.99|int ¦ -3.99|int ¦ '1e3'|float ¦ 'x'|float ¦ 'x'|float(1.5) ¦ n|float ¦ '1_000'|int ¦ xs|int ¦ 'inf'|float ¦ n|float|int
undefined_name|default('x') ¦ undefined_name|default ¦ empty|default('x') ¦ empty|default('x', true) ¦ nil|default('x') ¦ nil|d('x', true) ¦ d.missing|default('y') ¦ n|default('x', boolean=true)
d|tojson ¦ json|tojson ¦ json|tojson(indent=2) ¦ json|tojson(ensure_ascii=true) ¦ d|tojson(sort_keys=true) ¦ d|tojson(separators=(',',':')) ¦ xs|tojson(indent='\t') ¦ {1:2,none:3,true:4,1.5:5}|tojson ¦ s|tojson ¦ nil|tojson ¦ f|tojson ¦ (1,2)|tojson ¦ []|tojson(indent=2) ¦ {'a':[],'b':{}}|tojson(indent=4) ¦ undefined_name|tojson ¦ [1,[2,[3]]]|tojson(1) ¦ people|map(attribute='age')|list|tojson ¦ d|tojson(indent=none)
lines|indent ¦ lines|indent(2) ¦ lines|indent(2, true) ¦ lines|indent(2, blank=true) ¦ lines|indent('> ', first=true) ¦ ''|indent ¦ 'a\n'|indent ¦ 'foo bar baz qux'|truncate(9) ¦ 'foo bar baz qux'|truncate(9, true) ¦ 'foo bar baz qux'|truncate(11) ¦ 'foo bar baz qux'|truncate(11, false, '..', 0) ¦ 'a b  c'|wordcount ¦ 'ab'|center(6) ¦ '%s, %s!'|format('a', 'b') ¦ '%(x)s'|format(x=1) ¦ 'a b&c/d~é*'|urlencode
range(5)|batch(2)|list ¦ range(5)|batch(3, 'x')|list ¦ range(7)|slice(3)|list ¦ range(7)|slice(3,'x')|list ¦ people|groupby('age')|map('first')|list ¦ people|groupby('age')|map(attribute='list')|map('length')|list ¦ people|groupby('age')|map(attribute='grouper')|list ¦ range(3) ¦ range(3)|list ¦ range(1,10,3)|list ¦ range(5,0,-2)|list ¦ range(3)[1] ¦ range(3)|length ¦ dict(a=1, b=2) ¦ dict(d, b=5) ¦ items_key|items|list ¦ d|attr('b') ¦ range(0)|list
n is defined ¦ undefined_name is defined ¦ undefined_name is undefined ¦ nil is none ¦ n is not none ¦ n is number ¦ t is number ¦ t is boolean ¦ n is boolean ¦ n is integer ¦ t is integer ¦ f is float ¦ s is string ¦ nil is string ¦ d is mapping ¦ xs is mapping ¦ xs is sequence ¦ s is sequence ¦ d is sequence ¦ n is sequence ¦ xs is iterable ¦ n is iterable ¦ s is iterable ¦ undefined_name is iterable ¦ n is odd ¦ n is even ¦ n is divisibleby 7 ¦ n is divisibleby(2) ¦ t is true ¦ 1 is true ¦ no is false ¦ z is false ¦ 'a' is in ['a'] ¦ n is in xs ¦ 'a' is eq 'a' ¦ n is gt 5 ¦ n is lessthan 5 ¦ n is ge 7 ¦ n is sameas n ¦ nil is sameas none ¦ 'ABC' is upper ¦ 'abc' is lower ¦ range is callable ¦ n is callable ¦ 'upper' is filter ¦ 'nope' is filter ¦ 'odd' is test ¦ xs|map('upper') is sequence ¦ not n is odd ¦ n is defined and n is odd ¦ n is not defined or t ¦ d.missing is defined ¦ d.b is defined ¦ d is defined and d.a is iterable
strftime_now('%d %b %Y') ¦ strftime_now('%Y-%m-%d %H:%M:%S') ¦ strftime_now('%A, %B %-d, %y %I %p %j %%') ¦ strftime_now('%-m/%-d %a')
quote ¦ [quote] ¦ ['it\'s'] ¦ ['a\nb', 'tab\t', 'back\\', 'nul\x00', '\u200b', 'é', '😀', '\xa0'] ¦ [true, none, 1.0, 1e20] ¦ {'a': [1, {'b': none}]} ¦ [(1,), ()] ¦ [undefined_name] ¦ {'k': 'v'}|string ¦ xs|string ¦ '"' ¦ ['"'] ¦ namespace(a=1).a
-1|abs ¦ (-1)|abs ¦ 1 + 2|string ¦ 'a' ~ 'b'|upper ¦ ('a' ~ 'b')|upper ¦ not 'a' in 'abc' ¦ 1 + 1 ~ 2 ¦ 2 * 3 ~ 4 ¦ -xs[0] ¦ - n ** 2 ¦ n if n > 5 else z ¦ (n > 5) and 'big' ¦ 'a' if t else 'b'|upper ¦ [1,2,3][1:][0] ¦ {'a':{'b':1}}['a']['b'] ¦ 'x'.join(['a','b'])|upper ¦ (1, 2) + (3,) ¦ xs|sort|first + 1 ¦ 1 if 1 in xs else 2 ¦ n == 7 == true
undefined_name.x ¦ undefined_name['x'] ¦ undefined_name + 1 ¦ undefined_name() ¦ n() ¦ 1 + 'a' ¦ 'a' + 1 ¦ none + 1 ¦ 1 / 0 ¦ 1 // 0 ¦ 1 % 0 ¦ 1 < 'a' ¦ none < 1 ¦ [1] + (2,) ¦ xs|nosuchfilter ¦ n is nosuchtest ¦ xs|join(1, 2, 3, 4) ¦ s.nosuch() ¦ 5|length ¦ 5 in 5 ¦ 1 in 'a' ¦ {[1]: 2} ¦ -'a' ¦ nil|length ¦ s|indent('a', 1, 2, 3) ¦ '%d' % 'a' ¦ '%s %s' % 'a' ¦ '%s' % (1, 2) ¦ range(10**6) ¦ raise_exception('no!') ¦ undefined_name|int ¦ undefined_name < 1 ¦ 'a'.join([1]) ¦ ''.split('') ¦ d|dictsort(by='x') ¦ n|items ¦ xs.0.1.2 ¦ [1,2]|max(1,2,3) ¦ namespace(1) ¦ loop ¦ strftime_now()
""".strip().replace("\n", " ¦ ").split(" ¦ ")  # parted by a character that none has


TEMPLATES = [
    # whitespace
    "a\n{% if t %}\nb\n{% endif %}\nc\n", "a\n  {% if t %}  \n  b\n  {% endif %}  \nc", "  {%- if t -%}  x  {%- endif -%}  y", "a {{- n -}} b", "a\n {{ n }}\n b\n", "{% if t %}\n\nx{% endif %}\n\n",
    "x  {%+ if t %}y{% endif +%}\nz", "a\n    {#- c -#}\n   b", "a\n  {# c #}\nb", "a {# c #} b", "{#\nc\n#}\nx", "{# - #}x", "{#-#}x", "  {% set a = 1 %}  {{ a }}", "\t{% set a = 1 %}\n{{ a }}",
    "x\n\n", "x\n", "\n", "", "\r\nx\r\n", "a\rb\r\nc", "{{ 1 }}\n{{ 2 }}\n", "{% raw %}\n {{ x }} {% if %}\n{% endraw %}\nz", "a {%- raw -%} {{ x }} {%- endraw -%} b", "{% raw %}{% endraw %}", "{{ '}}' }}{{ '{{' }}{{ '%}' }}",
    "{{ {'a': {'b': 1}} }}", "{{{'a':1}}}", "{%if t%}x{%endif%}", "{% if t %}a{% else %}b{% endif %}\n", "a{% if t -%}\n  b\n{%- endif %}c", "{%- for x in xs -%}\n {{ x }} \n{%- endfor -%}", "{% for x in xs %}\n{{ x }}\n{% endfor %}\n.",
    "  {{ n }}  {% if t %}  {% endif %}", "{{ '\n' }}{% if t %}\n{% endif %}", "a\n \n  {%- if t %} b{% endif %}", "{{-  'x'  -}}\n\n{{- 'y' }}", "\u00a0{% if t %}x{% endif %}", "x{% if t %}{# c #}\ny{% endif %}", "{% if t %}\n{# c #}\n  {% endif %}\nz",
    # if, for
    "{% if no %}a{% elif n == 7 %}b{% elif t %}c{% else %}d{% endif %}", "{% if undefined_name %}a{% else %}b{% endif %}", "{% if xs and not empty %}y{% endif %}", "{% for x in xs %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}", "{% for x in xs if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{% else %}none{% endfor %}", "{% for x in xs if x > 9 %}{{ x }}{% else %}none{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }};{% endfor %}",
    "{% for c in s %}{{ c }}.{% endfor %}", "{% for x in undefined_name %}x{% endfor %}", "{% for x in xs %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.depth }} {% endfor %}", "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1,1,2] %}{{ loop.changed(x) }}{% endfor %}", "{% for a, b in [(1,2),(3,4)] %}{{ a }}{{ b }}{% endfor %}", "{% for (a, (b, c)) in [(1,(2,3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in xs %}{% for y in xs %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }}{% endfor %}|{% endfor %}", "{% for x in xs %}{% set outer = loop %}{% for y in [1,2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for m in messages %}{% if loop.nextitem is defined and loop.nextitem.role == 'user' %}U{% endif %}{{ m.role }}{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}{{ x }}", "{% for x in xs|sort(reverse=true) %}{{ x }}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}", "{% for x in xs[::-1] %}{{ x }}{% endfor %}", "{% for x in xs %}{{ loop }}{% break %}{% endfor %}"[:-38] + "{% endfor %}",
    # set and scopes
    "{% set x = 1 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set x = 1, 2 %}{{ x }}", "{% set x %}a{{ n }}b{% endset %}[{{ x }}]", "{% set x | upper | trim %} abc {% endset %}[{{ x }}]", "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}", "{% set x = 1 %}{% for y in xs %}{% set x = y %}{{ x }}{% endfor %}{{ x }}",
    "{% for y in xs %}{{ q }}{% set q = y %}{{ q }}{% endfor %}", "{% set ns = namespace(a=1) %}{% for y in xs %}{% set ns.a = ns.a + y %}{% endfor %}{{ ns.a }}", "{% set ns = namespace() %}{% set ns.x = [] %}{% for y in xs %}{% set ns.x = ns.x + [y] %}{% endfor %}{{ ns.x }}", "{% set ns = namespace({'q': 3}, r=4) %}{{ ns.q }}{{ ns['r'] }}{{ ns.zz }}", "{% set d2 = dict(a=1) %}{% set d2.a = 2 %}",
    "{% set ns = namespace(a=1) %}{% set ns.a, y = 5, 6 %}{{ ns.a }}{{ y }}", "{% set n = 1 %}{{ n }}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% set c = 3 %}{% endwith %}{{ c }}{{ a }}", "{% set x = 'a' if t else 'b' %}{{ x }}", "{% set x = undefined_name %}{{ x is defined }}{{ x }}", "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aac{% endfilter %}", "{% set loop = 3 %}{{ loop }}{% for x in [1] %}{{ loop.index }}{% endfor %}{{ loop }}",
    "{% set x %}{% for y in xs %}{{ y }}{% endfor %}{% endset %}{{ x|length }}", "{% if t %}{% set fresh = 1 %}{% endif %}{{ fresh }}", "{% for x in [1,2] %}{% if x == 2 %}{% set seen = x %}{% endif %}{{ seen }}.{% endfor %}",
    # macros
    "{% macro m(a, b=2) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=4, a=5) }}{{ m() }}", "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m() %}{{ n }}{{ x }}{% endmacro %}{% set x = 9 %}{{ m() }}", "{% macro m() %}{% set x = 5 %}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}", "{% macro f(k) %}{{ k }}{% if k > 0 %}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body{{ n }}{% endcall %}", "{% macro m(xs) %}{% for x in xs %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(v) m(xs) %}({{ v }}){% endcall %}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m(a) %}\n  {{- a }}\n{% endmacro %}\n{{ m('x') }}|", "{% macro m(x) %}{{ x is defined }}{% endmacro %}{{ m() }}{{ m(none) }}", "{% macro m() %}ab{% endmacro %}{{ m()|upper }}{{ m() ~ 'c' }}{{ m()|length }}", "{% macro m() %}{% endmacro %}{{ m }}", "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}<{{ x }}>{% endmacro %}{{ a(1) }}", "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% set f = namespace(v=1) %}{% macro inc() %}{% set f.v = f.v + 1 %}{% endmacro %}{{ inc() }}{{ inc() }}{{ f.v }}", "{% macro m(a, b) %}{{ a }}-{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}{{ m(1, **{'b': 4}) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(v) %}{{ v | default('dflt') }}{% endmacro %}{{ m() }}{{ m(undefined_name) }}{{ m(3) }}",
    # generation, globals
    "a{% generation %}b{{ n }}{% endgeneration %}c", "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}[{{ q }}]", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{% set j = joiner('|') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}", "{{ raise_exception('bad') }}", "{% if no %}{{ raise_exception('bad') }}{% endif %}ok", "{% print n, s %}"[:-3] + " %}",
    # what is broken
    "{% if t %}", "{% endif %}", "{{ n", "{% if t }}", "{{ n %}", "{% for x in xs %}", "{{ 'abc }}", "{{ (1 }}", "{{ 1) }}", "{{ [1} }}", "{% set %}", "{% set 1 = 2 %}", "{% set x = %}", "{% for in xs %}x{% endfor %}", "{% unknown %}", "{{ }}", "{{ 1 2 }}", "{{ a. }}", "{{ a[] }}", "{% if %}x{% endif %}", "{# x", "{% raw %} x", "{% macro %}{% endmacro %}", "{{ n is defined is true }}", "{{ ! }}", "{{ a b }}", "{% break %}", "{{ f(a=1, 2) }}", "{{ f(**a, b) }}", "{% set true = 1 %}", "{{ '\\x4' }}", "{% else %}", "{% if t %}{% endfor %}", "{% for x in xs %}{% endif %}", "{{ 1 if }}", "{{ $ }}", "{% set a, b = 1 %}", "{% for a, b in [(1,2,3)] %}{% endfor %}", "{{ {1} }}", "{{ x = 1 }}", "{% macro m(a %}{% endmacro %}", "{% call n %}{% endcall %}", "{% for x in 5 %}{% endfor %}", "{% for x in nil %}{% endfor %}", "{% set ns.x = 1 %}",
]


def main():
    env = environment()
    templates = ["{{ " + e + " }}" for e in EXPRESSIONS] + TEMPLATES
    cases, failing = [], 0
    for template in dict.fromkeys(templates):
        try:
            output = env.from_string(template).render(**VALUES)
        except Exception as e:  # noqa: BLE001 any failure counts
            output, failing = None, failing + 1
        if output is None or " object at 0x" not in output and "<generator" not in output:
            cases.append({"template": template, "output": output})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"values": VALUES, "cases": cases}, ensure_ascii=True, indent=0) + "\n")
    print(len(cases), "cases,", failing, "of them fail")


if __name__ == "__main__":
    main()
