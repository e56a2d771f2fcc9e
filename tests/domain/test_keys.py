"""Keys: ids cannot be guessed, and an effect has the same name every time."""

import re

from domain.keys import link_key, new_id, new_token, wire_key

BASE32 = "[a-z2-7]"


def test_an_id_has_its_prefix_and_130_random_bits() -> None:
    ids = {new_id("ord") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(f"ord_{BASE32}{{26}}", each) for each in ids)


def test_every_character_of_an_id_is_random() -> None:
    columns = zip(*(new_id("ord").removeprefix("ord_") for _ in range(1000)), strict=True)
    assert all(len(set(column)) == 32 for column in columns)


def test_a_token_has_160_random_bits_and_fits_in_a_url() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(f"{BASE32}{{32}}", each) for each in tokens)


def test_the_key_of_a_link_is_made_of_our_ids_alone() -> None:
    assert link_key("ord_x", 1) == "ord_x:link:1"
    assert link_key("ord_x", 2) != link_key("ord_x", 1)


def test_the_wire_key_never_changes() -> None:
    # base32 of printf 'ord_x:link:1' | sha256sum; a new value would make second links.
    assert wire_key("ord_x:link:1") == "phw7vrycl76wdcfftmwjzyv"


def test_wire_keys_are_short_and_differ() -> None:
    keys = {wire_key(f"ord_{n}:link:1") for n in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(f"{BASE32}{{23}}", key) for key in keys)
