"""Each guard is still where its mutation takes it out; `python -m tests.mutations` does it."""

import ast
from itertools import groupby

import pytest

from tests.mutations.guards import MUTATIONS, ROOT, Mutation

NAMES = [mutation.name for mutation in MUTATIONS]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=NAMES)
def test_it_still_applies(mutation: Mutation) -> None:
    assert mutation.occurrences() == 1
    source = (ROOT / mutation.file).read_text()
    mutated = source.replace(mutation.old, mutation.new)
    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=NAMES)
def test_the_test_that_must_notice_is_there(mutation: Mutation) -> None:
    file, _, test = mutation.node.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    names = {getattr(node, "name", None) for node in tree.body}
    assert test.partition("[")[0] in names


def test_each_is_named_once() -> None:
    assert [name for name, same in groupby(sorted(NAMES)) if len(list(same)) > 1] == []
