"""The faults themselves: each is one change, and nothing that is only told to people is changed."""

import ast

from tests.mutation.faults import faults_in

TEXT = '''
def most(a: int, b: int = 3) -> bool:
    """At least 1."""
    if not a:
        raise ValueError(f"{a + 1} is too few")
    return a < b and a + 1 in {b & a}
'''


def test_each_fault_is_one_change_to_what_a_function_does() -> None:
    assert {fault.function for fault in faults_in(TEXT)} == {"most"}
    assert [(fault.line, fault.was, fault.becomes) for fault in faults_in(TEXT)] == [
        (4, "not a", "a"),
        (6, "a < b and a + 1 in {b & a}", "a < b or a + 1 in {b & a}"),
        (6, "a < b and a + 1 in {b & a}", "a < b"),
        (6, "a < b", "a <= b"),
        (6, "a + 1 in {b & a}", "a + 1 not in {b & a}"),
        (6, "a + 1", "a - 1"),
        (6, "a + 1", "a"),
        (6, "1", "2"),
        (6, "b & a", "b | a"),
        (6, "b & a", "b"),
    ]


def test_the_tree_of_a_fault_is_the_text_with_that_change_alone() -> None:
    [changed] = [fault for fault in faults_in(TEXT) if fault.becomes == "a <= b"]
    assert ast.unparse(changed.tree) == ast.unparse(ast.parse(TEXT)).replace("a < b", "a <= b")
