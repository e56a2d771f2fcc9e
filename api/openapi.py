"""The OpenAPI file, corrected where FastAPI guesses: errors are problems, and only true ones.

Whoever needs a key may also call too often: that is said here, once for all of them.
"""

from typing import Any

from fastapi import FastAPI

from api.problems import MEDIA_TYPE

PROBLEM = {"$ref": "#/components/schemas/Problem"}
GUESSED = "HTTPValidationError", "ValidationError"


class Api(FastAPI):
    """FastAPI with an OpenAPI file that is right."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = super().openapi()
            for operations in schema["paths"].values():
                for operation in operations.values():
                    _correct(operation["responses"])
            for name in GUESSED:
                schema["components"]["schemas"].pop(name, None)
        return self.openapi_schema or {}


def _correct(responses: dict[str, Any]) -> None:
    for status, response in list(responses.items()):
        # By default an error gets the media type of the answer that did not come.
        schemas = [content.get("schema", {}) for content in response.get("content", {}).values()]
        if any(GUESSED[0] in schema.get("$ref", "") for schema in schemas):
            # Assumed of every route with a parameter; a route that refuses any says so itself.
            del responses[status]
        elif PROBLEM in schemas:
            response["content"] = {MEDIA_TYPE: {"schema": PROBLEM}}
    if "401" in responses:
        responses["429"] = {
            "description": "Too many calls: come again after Retry-After seconds",
            "headers": {"Retry-After": {"schema": {"type": "integer"}}},
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
        }
