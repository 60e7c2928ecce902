"""What an author of a connector may use, out of the docstrings. `generate.py` writes it down."""  # noqa: INP001 - beside a program

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from rollbook.core import connector, errors, http

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reference"]

CHAPTERS: tuple[tuple[str, str, tuple[type[Any], ...]], ...] = (
    ("The connector", "rollbook.core.connector", (connector.Connector, connector.Settings)),
    (
        "What it gives",
        "rollbook.core.connector",
        (
            connector.Partition,
            connector.Page,
            connector.Lookup,
            connector.Join,
            connector.Notice,
            connector.Estimate,
        ),
    ),
    ("Asking", "rollbook.core.http", (http.Http, http.Answer, http.PageAnswer)),
    (
        "Paging",
        "rollbook.core.http",
        (http.LinkHeader, http.PageNumber, http.Offset, http.Cursor, http.NextLink, http.Paginator),
    ),
    ("Reading an answer's signs", "rollbook.core.http", (http.Verdict, http.Act, http.Limit, http.Quota)),
    (
        "Signing in",
        "rollbook.core.http",
        (http.ApiKey, http.Basic, http.Bearer, http.FormToken, http.OAuth2, http.TokenAuth, http.Auth),
    ),
    (
        "Errors",
        "rollbook.core.errors",
        (
            errors.Gone,
            errors.Forbidden,
            errors.CursorExpired,
            errors.AuthError,
            errors.RateLimited,
            errors.VendorError,
            errors.ContractError,
            errors.SettingsError,
            errors.Unsupported,
        ),
    ),
)


def reference() -> Iterator[str]:
    """Write the chapters."""
    for title, module, kinds in CHAPTERS:
        yield from (f"## {title}", "", f"`from {module} import ...`")
        for kind in kinds:
            yield from ("", f"### `{kind.__name__}`", "")
            yield from _class(kind)
        yield ""


def _class(kind: type[Any]) -> Iterator[str]:
    [tree] = [
        node for node in ast.parse(textwrap.dedent(inspect.getsource(kind))).body if isinstance(node, ast.ClassDef)
    ]
    yield from _prose(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "__init__":
            yield from ("", f"`{kind.__name__}{_arguments(node)}`")
    members = [*_values(tree), *_methods(tree)]
    if members:
        yield from ("", *members)


def _prose(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    text = ast.get_docstring(node) or ""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() in ("Args:", "Raises:", "Returns:"):
            lines += [] if not lines or not lines[-1] else [""]
            lines.append(f"*{line.strip()[:-1]}*\n")
        elif line.startswith("    ") and not line.startswith("     "):
            name, colon, meaning = line.strip().partition(": ")
            lines.append(f"- `{name}`: {meaning}" if colon else f"- {line.strip()}")
        else:
            lines.append(line.strip() if not line.startswith("     ") else f"  {line.strip()}")
    return lines


def _values(tree: ast.ClassDef) -> Iterator[str]:
    """Give the attributes, each with the text below it."""
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        told = _text(following)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, default = node.target.id, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and told:
            name, default = node.targets[0].id, node.value
        else:
            continue
        if name.startswith("_"):
            continue
        shown = f" = {ast.unparse(default)}" if default is not None and not isinstance(default, ast.Call) else ""
        yield _item(f"{name}{shown}", told)


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""


def _methods(tree: ast.ClassDef) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(one) for one in node.decorator_list}
            is_value = not decorators.isdisjoint(("property", "cached_property"))
            first = (ast.get_docstring(node) or "").partition("\n\n")[0]
            asynchronous = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            yield _item(node.name if is_value else f"{asynchronous}{node.name}{_arguments(node)}", first)


def _item(code: str, text: str) -> str:
    told = " ".join(text.split())
    return f"- `{code}`: {told}" if told else f"- `{code}`"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Give a signature without types, which the docstrings tell in words."""
    given = node.args
    plain = [one.arg for one in (*given.posonlyargs, *given.args) if one.arg not in ("self", "cls")]
    bare = len(plain) - len(given.defaults)
    shown = [
        name if place < bare else f"{name}={ast.unparse(given.defaults[place - bare])}"
        for place, name in enumerate(plain)
    ]
    if given.kwonlyargs:
        shown.append("*")
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            shown.append(one.arg if default is None else f"{one.arg}={ast.unparse(default)}")
    return f"({', '.join(shown)})"
