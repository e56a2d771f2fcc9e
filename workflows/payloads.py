"""What crosses to Temporal and back: JSON, by pydantic, with one memory for the whole process.

The SDK makes a converter for each workflow, and two for each of its turns; pydantic's own would
learn every type anew in each.
"""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

ENCODINGS = tuple(PydanticPayloadConverter().converters.values())


class PayloadConverter(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(*ENCODINGS)


DATA_CONVERTER = DataConverter(payload_converter_class=PayloadConverter)
