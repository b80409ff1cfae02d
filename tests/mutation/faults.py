"""Small faults of the kind people make, planted in the text of a module one at a time: another comparison, one more or less, a term or a condition lost.

After the operators of mutmut and of DeMillo, Lipton and Sayward (1978), as far as they fit code about integers. Only what functions do is changed: no
messages, annotations, defaults or docstrings.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHERS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
_SILENT = (ast.Raise, ast.JoinedStr, ast.arguments, ast.AnnAssign)
"""Where nothing is changed: what is told to people, what has a default, what only names a kind."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One: the function and line it is in, what stands there, what is put there; `tree` is the module with it."""

    function: str
    line: int
    was: str
    becomes: str
    tree: ast.Module


def faults_in(text: str) -> Iterator[Fault]:
    """Every fault that can be planted, in the order of the text; each in a tree of its own."""
    for place in range(sum(1 for _ in _places(ast.parse(text)))):
        tree = ast.parse(text)
        function, (parent, field, at, node, other) = list(_places(tree))[place]
        was = ast.unparse(node)
        held = getattr(parent, field)
        if at is None:
            setattr(parent, field, other)
        else:
            held[at] = other
        ast.copy_location(other, node)
        yield Fault(function, getattr(node, "lineno", 0), was, ast.unparse(other), ast.fix_missing_locations(tree))


_Place = tuple[ast.AST, str, int | None, ast.expr, ast.expr]


def _places(tree: ast.Module) -> Iterator[tuple[str, _Place]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in function.body:
                if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):  # walked to on its own
                    yield from ((function.name, place) for place in _below(statement))


def _below(parent: ast.AST) -> Iterator[_Place]:
    if isinstance(parent, _SILENT):
        return
    for field, value in ast.iter_fields(parent):
        for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.expr):
                yield from ((parent, field, at, node, other) for other in _others(node))
            if isinstance(node, ast.AST) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _below(node)


def _others(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=right) if type(operator) in _COMPARISONS:
            yield ast.Compare(left, [_COMPARISONS[type(operator)]()], right)
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            yield ast.Constant(value + 1)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OTHERS:
            yield ast.BinOp(left, _OTHERS[type(operator)](), right)
            yield left
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            yield from values[:1]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
