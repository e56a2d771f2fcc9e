"""Who calls: bearer keys with roles. Keys are compared by their sha256, and never logged."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import ApiError
from api.services import Services

Role = Literal["client", "operator"]
Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(auto_error=False, description="A client's or an operator's key")),
]


@dataclass(frozen=True)
class Principal:
    """The holder of a key. Operators see every order, clients their own."""

    name: str
    role: Role

    def may_see(self, client: str) -> bool:
        return self.role == "operator" or self.name == client


def authenticated(bearer: Bearer, services: Services) -> Principal:
    """Any valid key; 401 without one."""
    given = bearer.credentials.encode() if bearer else b""
    key = services.keys.get(sha256(given).hexdigest())
    if key is None:
        challenge = {"WWW-Authenticate": "Bearer"}
        raise ApiError(401, "unauthorized", "Send a valid key as a bearer token.", challenge)
    return Principal(key.name, key.role)


def as_client(principal: Annotated[Principal, Depends(authenticated)]) -> Principal:
    """Only a client's key; 403 with another."""
    if principal.role != "client":
        raise ApiError(403, "forbidden", "This call takes a client's key.")
    return principal


def as_operator(principal: Annotated[Principal, Depends(authenticated)]) -> Principal:
    """Only an operator's key; 403 with another."""
    if principal.role != "operator":
        raise ApiError(403, "forbidden", "This call takes an operator's key.")
    return principal


Anyone = Annotated[Principal, Depends(authenticated)]
Client = Annotated[Principal, Depends(as_client)]
Operator = Annotated[Principal, Depends(as_operator)]
