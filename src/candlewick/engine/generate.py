"""The only code that candlewick generates: glue around the steps of a group of indicators.

1. ``batch_text``: one fused loop over a chunk (``run``), and the same loop writing into a small reused block of which
   only the last values are kept (``scan``).
2. ``live_text``: one bar of many symbols (``many``).

State row of a symbol: bar number, history position, each indicator's state, then memories, then for each column looked
back into two histories' length of past values. Parameters are read at run time, so one kernel serves all periods.
``none`` is 0 in a form that numba does not take for a literal: it would compile the loop once for each literal.
The loop is split where every warm-up is over; behind it ``hot`` is the literal True and the warm-up code is gone.
"""

from __future__ import annotations

from candlewick.engine.shape import FIRST_STATE, Member, Shape
from candlewick.kernels import emit

CHUNK = 2048
"""Rows that ``scan`` computes at a time: 11 columns of them stay in a core's second-level cache."""


def batch_text(shape: Shape) -> str:
    """The text of the kernel with ``run`` and ``scan`` for groups of this shape."""
    pointers = _pointers(shape)
    return "\n".join(
        [
            emit(*dict.fromkeys(member.step for member in shape.members)),
            _loop(shape),
            _prologue(shape),
            _epilogue(shape),
            f"""
@entry("void(float64[::1], float64[::1], {_array_types(shape)}, float64[:, ::1])")
def run(state_row, parameter_row, {_names(shape)}, out_table):
    n = {shape.columns[0]}.size
    if n == 0:
        return
    st = address(state_row)
    par = address(parameter_row)
    out = address(out_table)
    width = out_table.shape[1]
{_addresses(shape)}
    none = n - n
    history = int(par[1])
    m = prologue(st, par, n, {pointers})
    loop(st, par, {pointers}, {_own_past(shape)}none, m, history, out, width, none)
    if n > m:
        loop(st, par, {pointers}, {_given_past(shape)}m, n, none, out, width, none)
    epilogue(st, par, n, {pointers})
""",
            f"""
@entry("void(float64[::1], float64[::1], {_array_types(shape)}, float64[:, ::1], float64[::1])")
def scan(state_row, parameter_row, {_names(shape)}, block, last):
    n = {shape.columns[0]}.size
    if n == 0:
        return
    st = address(state_row)
    par = address(parameter_row)
    out = address(block)
    width = block.shape[1]
{_addresses(shape)}
    none = n - n
    history = int(par[1])
    m = prologue(st, par, n, {pointers})
    a = none
    start = none
    while a < m:
        b = min(m, a + width)
        loop(st, par, {pointers}, {_own_past(shape)}a, b, history, out, width, a)
        start = a
        a = b
    while a < n:
        b = min(n, a + width)
        loop(st, par, {pointers}, {_given_past(shape)}a, b, none, out, width, a)
        start = a
        a = b
    for row in range({shape.outputs}):
        last[row] = out[row * width + n - 1 - start]
    epilogue(st, par, n, {pointers})
""",
        ]
    )


def live_text(shape: Shape) -> str:
    """The text of the kernel with ``many`` for groups of this shape."""
    inputs = ", ".join(f"{name}[s]" for name in shape.columns)
    return "\n".join(
        [
            emit(*dict.fromkeys(member.step for member in shape.members)),
            _one(shape),
            f"""
@entry("void(float64[:, ::1], float64[::1], {_array_types(shape)}, float64[:, ::1])")
def many(state_rows, parameter_row, {_names(shape)}, out_table):
    st = address(state_rows)
    par = address(parameter_row)
    out = address(out_table)
    size = state_rows.shape[1]
    width = out_table.shape[1]
{_addresses(shape)}
    for s in range(state_rows.shape[0]):
        one(shift(st, s * size), par, {inputs.replace("[s]", "_at[s]")}, shift(out, s * width))
""",
        ]
    )


def _loop(shape: Shape) -> str:
    past = "".join(f"{name}_past, " for name in shape.history)
    reads = "\n".join(f"        x_{name} = {name}_at[i]" for name in shape.columns)
    body = [
        "@routine",
        f"def loop(st, par, {_pointers(shape)}, {past}a, b, moved, out, width, start):",
        "    t = int(st[0]) - a",
        *_loads(shape, "    "),
        "    warm = min(b, max(a, int(par[0]) - t))",
    ]
    for hot, first, last in ((False, "a", "warm"), (True, "warm", "b")):
        body += [f"    for i in range({first}, {last}):", reads]
        for k, member in enumerate(shape.members):
            body.append("        " + _call(k, member, hot, "t + i", "i + moved"))
            body += [
                f"        out[{row} * width + i - start] = o{k}[{j}]" for j, row in enumerate(shape.output_rows(k))
            ]
    body += ["    st[0] = float(t + b)", *_stores(shape, "    ")]
    return "\n".join(body) + "\n"


def _one(shape: Shape) -> str:
    body = [
        "@inline",
        f"def one(st, par, {', '.join(f'x_{name}' for name in shape.columns)}, out):",
        "    history = int(par[1])",
        "    place = int(st[1])",
        "    if place == history:",
        "        place = 0",
    ]
    for name in shape.history:
        body += [
            "        for k in range(history):",
            f"            st[{_region(shape, name)} + k] = st[{_region(shape, name)} + history + k]",
        ]
    for name in shape.history:
        body += [
            f"    {name}_past = shift(st, {_region(shape, name)})",
            f"    {name}_past[history + place] = x_{name}",
        ]
    body += ["    st[1] = float(place + 1)", "    t = int(st[0])", *_loads(shape, "    ")]
    for test, hot in (("if t >= int(par[0]):", True), ("else:", False)):
        body.append(f"    {test}")
        for k, member in enumerate(shape.members):
            body.append("        " + _call(k, member, hot, "t", "history + place"))
            body += [f"        out[{row}] = o{k}[{j}]" for j, row in enumerate(shape.output_rows(k))]
    body += ["    st[0] = float(t + 1)", *_stores(shape, "    ")]
    return "\n".join(body) + "\n"


def _prologue(shape: Shape) -> str:
    """Puts the chunk's first rows behind the kept history, so that they can look back without a copy of the chunk."""
    body = [
        "@routine",
        f"def prologue(st, par, n, {_pointers(shape)}):",
        "    history = int(par[1])",
        "    place = int(st[1])",
        "    m = min(n, history)",
    ]
    for name in shape.history:
        region = _region(shape, name)
        body += [
            "    for k in range(history):",
            f"        st[{region} + k] = st[{region} + place + k]",
            "    for k in range(m):",
            f"        st[{region} + history + k] = {name}_at[k]",
        ]
    return "\n".join([*body, "    st[1] = 0.0", "    return m", ""])


def _epilogue(shape: Shape) -> str:
    """Keeps the chunk's last rows as history."""
    body = [
        "@routine",
        f"def epilogue(st, par, n, {_pointers(shape)}):",
        "    history = int(par[1])",
        "    m = min(n, history)",
    ]
    for name in shape.history:
        region = _region(shape, name)
        body += [
            "    for k in range(history - m):",
            f"        st[{region} + k] = st[{region} + m + k]",
            "    for k in range(m):",
            f"        st[{region} + history - m + k] = {name}_at[n - m + k]",
        ]
    return "\n".join([*body, ""]) if shape.history else "\n".join([*body, "    return", ""])


def _call(k: int, member: Member, hot: bool, t: str, i: str) -> str:
    states = _tuple(_states(k, member))
    inputs = _tuple([f"x_{name}" for name in member.reads])
    arguments = [t, str(hot), inputs, states, _tuple([f"p{k}_{j}" for j in range(member.parameters)])]
    if member.history:
        arguments += [_tuple([f"{name}_past" for name in member.history]), i]
    if member.has_memory:
        arguments.append(f"m{k}")
    return f"{states}, o{k} = {member.step.__name__}({', '.join(arguments)})"


def _loads(shape: Shape, indent: str) -> list[str]:
    lines = []
    for k, member in enumerate(shape.members):
        first, parameter = shape.state_place(k), shape.parameter_place(k)
        lines += [f"{indent}{name} = st[{first + j}]" for j, name in enumerate(_states(k, member))]
        lines += [f"{indent}p{k}_{j} = par[{parameter + j}]" for j in range(member.parameters)]
        if member.has_memory:
            lines.append(f"{indent}m{k} = shift(st, int(par[{shape.memory_place(k)}]))")
    return lines


def _stores(shape: Shape, indent: str) -> list[str]:
    return [
        f"{indent}st[{shape.state_place(k) + j}] = {name}"
        for k, member in enumerate(shape.members)
        for j, name in enumerate(_states(k, member))
    ]


def _states(k: int, member: Member) -> list[str]:
    return [f"s{k}_{j}" for j in range(member.slots)]


def _region(shape: Shape, name: str) -> str:
    return f"int(par[{FIRST_STATE}]) + {2 * shape.history.index(name)} * history"


def _pointers(shape: Shape) -> str:
    return ", ".join(f"{name}_at" for name in shape.columns)


def _names(shape: Shape) -> str:
    return ", ".join(shape.columns)


def _addresses(shape: Shape) -> str:
    return "\n".join(f"    {name}_at = address({name})" for name in shape.columns)


def _array_types(shape: Shape) -> str:
    return ", ".join(
        f"Array({'uint8' if name == 'anchor' else 'float64'}, 1, 'C', readonly=True)" for name in shape.columns
    )


def _own_past(shape: Shape) -> str:
    """The histories in the state row, in which row 0 of the chunk stands ``history`` places in."""
    return "".join(f"shift(st, {_region(shape, name)}), " for name in shape.history)


def _given_past(shape: Shape) -> str:
    return "".join(f"{name}_at, " for name in shape.history)


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"
