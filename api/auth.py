"""Who calls: bearer keys with roles. Keys are compared by their sha256, and never logged."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Depends, Request, Security
from fastapi.security import (
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)

from api.problems import ApiError
from api.services import Opened, Services

Role = Literal["client", "operator"]
Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(auto_error=False, description="A client's or an operator's key")),
]

Basic = Annotated[
    HTTPBasicCredentials | None,
    Security(HTTPBasic(auto_error=False, description="For pages alone: the key as the password")),
]

# Whoever was given the link to an order's result page may see what is shown there.
Token = Annotated[
    str | None,
    Security(
        APIKeyQuery(
            name="token",
            scheme_name="ResultToken",
            auto_error=False,
            description="The token of the order's result page, in place of a key",
        )
    ),
]


@dataclass(frozen=True)
class Principal:
    """The holder of a key. Operators see every order, clients their own."""

    name: str
    role: Role

    def may_see(self, client: str) -> bool:
        return self.role == "operator" or self.name == client


async def authenticated(bearer: Bearer, services: Services) -> Principal:
    """Any valid key; 401 without one."""
    return _holder(bearer.credentials if bearer else "", services, "Bearer")


def _holder(given: str, services: Opened, challenge: str) -> Principal:
    key = services.keys.get(sha256(given.encode()).hexdigest())
    if key is None:
        headers = {"WWW-Authenticate": challenge}
        raise ApiError(401, "unauthorized", "Send a valid key as a bearer token.", headers)
    return Principal(key.name, key.role)


async def as_client(principal: Annotated[Principal, Depends(authenticated)]) -> Principal:
    """Only a client's key; 403 with another."""
    if principal.role != "client":
        raise ApiError(403, "forbidden", "This call takes a client's key.")
    return principal


async def as_operator(principal: Annotated[Principal, Depends(authenticated)]) -> Principal:
    """Only an operator's key; 403 with another."""
    if principal.role != "operator":
        raise ApiError(403, "forbidden", "This call takes an operator's key.")
    return principal


def wants_page(request: Request) -> bool:
    """Whether a browser asks: by the end of the address, or by what it accepts."""
    is_named = request.url.path.endswith(".html")
    return is_named or "text/html" in request.headers.get("accept", "")


async def as_reader(
    request: Request, bearer: Bearer, basic: Basic, services: Services
) -> Principal:
    """An operator who reads. In a browser, which cannot send a bearer key, by user and password.

    A browser sends that password along with every request to us, also with one that another site
    made it send: so it opens nothing but what is read, pages and the table that they link to.
    """
    if bearer is not None or not wants_page(request):
        return await as_operator(await authenticated(bearer, services))
    given = basic.password if basic else ""
    return await as_operator(_holder(given, services, 'Basic realm="paidonce", charset="UTF-8"'))


Anyone = Annotated[Principal, Depends(authenticated)]
Client = Annotated[Principal, Depends(as_client)]
Operator = Annotated[Principal, Depends(as_operator)]
Reader = Annotated[Principal, Depends(as_reader)]
