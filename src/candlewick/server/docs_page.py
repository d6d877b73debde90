"""Docs page: the OpenAPI document as one page of HTML, made here, with nothing loaded from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What the page may do: show itself."""

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8888; }
article { border: 1px solid #8886; border-radius: .4rem; padding: .2rem 1rem 1rem; margin: 1rem 0; }
h3 { font-family: ui-monospace, monospace; font-size: 1rem; overflow-wrap: anywhere; }
h3 b { display: inline-block; min-width: 4rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-top: 1px solid #8884; }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { overflow: auto; max-height: 24rem; padding: .6rem; background: #8882; border-radius: .3rem; }
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """The whole page, from an OpenAPI document."""
    about = document["info"]
    title = f"{escape(about['title'])} {escape(about['version'])}"
    parts = "\n".join(_groups(document))
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p>Every address that this server answers, as <a href="openapi.json">openapi.json</a> has it. Errors are problem
documents (RFC 9457) that name the parameter, its value and what would be right.</p>
{parts}
<h2 id="schemas">Schemas</h2>
{"".join(_schemas(document))}
</body>
</html>
"""


def _groups(document: Mapping[str, Any]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            group = (operation.get("tags") or ["other"])[0]
            found.setdefault(group, []).append(_operation(method.upper(), path, operation))
    for group, operations in found.items():
        yield f'<h2 id="{escape(group)}">{escape(group)}</h2>\n' + "\n".join(operations)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    text = "".join(f"<p>{_plain(part)}</p>" for part in operation.get("description", "").split("\n\n") if part)
    parts = [f"<h3><b>{escape(method)}</b> {escape(path)}</h3>", text]
    if operation.get("parameters"):
        rows = "".join(_parameter(one) for one in operation["parameters"])
        parts.append(f"<table><tr><th>parameter<th>in<th>what<th>example</tr>{rows}</table>")
    if "requestBody" in operation:
        kinds = "".join(_content(kind, one) for kind, one in operation["requestBody"]["content"].items())
        parts.append(f"<details><summary>body</summary>{kinds}</details>")
    parts += [_response(status, one) for status, one in operation["responses"].items()]
    return f"<article>{''.join(parts)}</article>"


def _parameter(one: Mapping[str, Any]) -> str:
    name = f"<b>{escape(one['name'])}</b>" if one.get("required") else escape(one["name"])
    what = _plain(one.get("description", "")) + _limits(one.get("schema", {}))
    example = f"<code>{escape(str(one['example']))}</code>" if "example" in one else ""
    return f"<tr><td><code>{name}</code><td>{escape(one['in'])}<td>{what}<td>{example}</tr>"


def _limits(schema: Mapping[str, Any]) -> str:
    told = {name: value for name, value in schema.items() if name in ("enum", "pattern", "minimum", "maximum")}
    return f" <code>{escape(json.dumps(told))}</code>" if told else ""


def _response(status: str, one: Mapping[str, Any]) -> str:
    headers = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{_plain(about.get('description', ''))}</tr>"
        for name, about in one.get("headers", {}).items()
    )
    inside = (f"<table>{headers}</table>" if headers else "") + "".join(
        _content(kind, content) for kind, content in one.get("content", {}).items()
    )
    summary = f"<code>{escape(status)}</code> {_plain(one.get('description', ''))}"
    return f"<details><summary>{summary}</summary>{inside}</details>"


def _content(kind: str, content: Mapping[str, Any]) -> str:
    example = content.get("example")
    shown = example if isinstance(example, str) else json.dumps(example, indent=1)
    return f"<p><code>{escape(kind)}</code></p>" + ("" if example is None else f"<pre>{escape(shown)}</pre>")


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        text = escape(json.dumps(schema, indent=1))
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>'


def _plain(text: str) -> str:
    """Text with its `code` marked as such."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
