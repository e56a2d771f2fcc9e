"""Amounts and moments as Razorpay's CSV writes them, a whole column at a time."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from domain.money import Money, decimals

INDIA = timezone(timedelta(hours=5, minutes=30))

PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INDIAN_DAY = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")
TIME = re.compile(r"[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
TWO_DECIMALS = re.compile(r"(?:[0-9]{1,13}\.[0-9]{2}\n)*+[0-9]{1,13}\.[0-9]{2}")
ONE_AMOUNT = re.compile(r"[0-9]{1,13}\.[0-9]{2}")
MOST_REMEMBERED = 50_000


class Amounts(dict[str, int]):
    """Minor units of one currency by their text; no text is no money."""

    def __init__(self, currency: str) -> None:
        super().__init__()
        self._currency = Money(0, currency).currency
        self._has_two_decimals = decimals(currency) == 2

    def __missing__(self, text: str) -> int:
        if self._has_two_decimals and ONE_AMOUNT.fullmatch(text):
            minor = int(text.replace(".", ""))
        else:
            minor = Money.of_major(text or "0", self._currency).minor
        self[text] = minor
        return minor


class Currencies(dict[str, Amounts]):
    def __missing__(self, currency: str) -> Amounts:
        self[currency] = amounts = Amounts(currency)
        return amounts

    def minor(self, texts: Sequence[str], currencies: Sequence[str]) -> list[int]:
        """Each text in the currency beside it. Raises `ValueError`."""
        named = {currency: self[currency] for currency in set(currencies)}
        column = "\n".join(texts)
        if {*map(decimals, named)} == {2} and TWO_DECIMALS.fullmatch(column):
            minor = list(map(int, column.replace(".", "").split("\n")))
            if len(minor) == len(texts):
                return minor
        return self.known(texts, currencies)

    def known(self, texts: Sequence[str], currencies: Sequence[str]) -> list[int]:
        """The same, for columns in which few texts come again and again."""
        named = {currency: self[currency] for currency in set(currencies)}
        if len(named) == 1:
            (amounts,) = named.values()
            return list(map(amounts.__getitem__, texts))
        return [named[currency][text] for text, currency in zip(texts, currencies, strict=True)]

    def forget(self) -> None:
        for amounts in self.values():
            shorten(amounts)


class Days(dict[str, int]):
    """When a day begins in India, in Unix seconds, by its text."""

    def __missing__(self, text: str) -> int:
        if INDIAN_DAY.fullmatch(text):
            iso = f"{text[6:10]}-{text[3:5]}-{text[:2]}"
        elif PLAIN_DAY.fullmatch(text):
            iso = text
        else:
            raise ValueError("not a day and a time, as DD/MM/YYYY HH:MM:SS")
        self[text] = at = int(datetime.fromisoformat(iso).replace(tzinfo=INDIA).timestamp())
        return at


class Times(dict[str, int]):
    """Seconds since midnight, by the text that follows the day."""

    def __missing__(self, text: str) -> int:
        if not TIME.fullmatch(text):
            raise ValueError("not a day and a time, as DD/MM/YYYY HH:MM:SS")
        self[text] = seconds = int(text[1:3]) * 3600 + int(text[4:6]) * 60 + int(text[7:9])
        return seconds


class Moments:
    """Moments in India as Unix seconds; None where there is no text."""

    def __init__(self) -> None:
        self._days, self._times = Days(), Times()

    def seconds(self, texts: Sequence[str]) -> list[int | None]:
        """Raises `ValueError`."""
        days, times = self._days, self._times
        day = min(texts)[:10]
        if day and max(texts)[:10] == day:
            # What lies between two texts of one day is of that day.
            midnight = days[day]
            return [midnight + times[text[10:]] for text in texts]
        return [days[text[:10]] + times[text[10:]] if text else None for text in texts]

    def repeated(self, texts: Sequence[str]) -> list[int | None]:
        """The same, for a column in which few moments come again and again."""
        known = {text: self.seconds([text])[0] for text in set(texts)}
        return list(map(known.__getitem__, texts))

    def forget(self) -> None:
        shorten(self._days)


def shorten(known: dict[str, int]) -> None:
    """Texts that come again are worth keeping, but not for ever."""
    if len(known) > MOST_REMEMBERED:
        known.clear()
