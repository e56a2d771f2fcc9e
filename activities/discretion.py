"""What an error may say when it enters Temporal: its name and meaning, nothing personal."""

from typing import Any

from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

OUR_WORDS = "domain."


class Discretion(Interceptor):
    """Cuts errors off from their causes, which may hold addresses, bodies and parameters.

    The words of our own errors are kept; of anything else only the class.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Discreet(next)


class _Discreet(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except FailureError as error:
            raise error.with_traceback(None) from None
        except Exception as error:
            name = type(error).__name__
            known = type(error).__module__.startswith(OUR_WORDS)
            raise ApplicationError(str(error) if known else name, type=name) from None
