"""Arrow form: an answer as an Arrow IPC stream, for programs that want columns rather than text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlewick.candles import VALUES

if TYPE_CHECKING:
    from candlewick.service.answer import Answer


def arrow_stream(answer: Answer) -> bytes:
    """One schema and one batch: ``time`` timestamp[us, UTC], prices and volume float64, ``n`` int32, ``final`` bool,
    then the indicators as float64, null where undefined.

    The schema's metadata has ``symbol timeframe source engine revision fingerprint``, as the JSON form has them.
    """
    import pyarrow as pa

    bars = answer.bars
    columns = {"time": pa.array(np.asarray(bars.microseconds), pa.int64()).view(pa.timestamp("us", tz="UTC"))}
    columns |= {name: pa.array(getattr(bars, name), pa.float64()) for name in VALUES}
    columns |= {"n": pa.array(bars.n, pa.int32()), "final": pa.array(bars.final, pa.bool_())}
    columns |= {name: pa.array(values, pa.float64(), from_pandas=True) for name, values in answer.indicators.items()}
    schema = pa.schema(
        [pa.field(name, values.type) for name, values in columns.items()],
        metadata={name: str(value) for name, value in answer.about.items()},
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(list(columns.values()), schema=schema))
    return bytes(sink.getvalue())
