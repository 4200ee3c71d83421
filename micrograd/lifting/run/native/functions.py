"""exp, log, tanh, sigmoid, softplus on vectors: within 3 units in the last place, edges right.

Each is one function of a vector of doubles without a branch. exp is 2**n * e**r, |r| <= ln 2 / 2,
by Taylor's polynomial of degree 13; log is fdlibm's (Sun Microsystems, 1993: "e_log.c"); tanh goes
by e**x - 1, as 1 - 2 / (e**2x + 1) loses every digit near 0. The tests compare them with
mpmath, which computes to any number of digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from micrograd.lifting.run.native.code import Code, Module, kind

__all__ = ["VECTORISED", "function"]

_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to an integer, in the last bits
_ROUND_BITS = 0x4338000000000000


def function(module: Module, name: str, width: int) -> str:
    """The name of one of the functions at this width, written when it is first asked for."""
    symbol = f"@{name}_{width}"
    if symbol not in module.functions:
        module.functions[symbol] = ""  # before those that it needs
        code = Code(module)
        result = VECTORISED[name](code, width, "%x")
        code.do(f"ret {kind(width)} {result}")
        t = kind(width)
        module.functions[symbol] = code.function(
            symbol, f"{t} %x", f"internal {t}", "noinline nounwind memory(none)"
        )
    return symbol


def _called(name: str, code: Code, width: int, x: str) -> str:
    t = kind(width)
    return code.let(f"call {t} {function(code.module, name, width)}({t} {x})")


def _polynomial(code: Code, width: int, x: str, numbers: list[float]) -> str:
    """numbers[0] + x * (numbers[1] + x * ...)."""
    *rest, made = [code.number(c, width) for c in numbers]
    for c in reversed(rest):
        made = code.fma(width, made, x, c)
    return made


def _clamped(code: Code, width: int, x: str, low: float, high: float) -> str:
    """x between two numbers; nan stays nan."""
    for relation, bound in (("ogt", high), ("olt", low)):
        b = code.number(bound, width)
        x = code.select(width, code.compare(relation, width, x, b), b, x)
    return x


def _reduced(code: Code, width: int, x: str) -> tuple[str, str]:
    """(n, r) of x = n ln 2 + r: the integer n, and r."""
    turned = code.binary("fmul", width, x, code.number(1 / math.log(2), width))
    shifted = code.binary("fadd", width, turned, code.number(_ROUND, width))
    n = code.binary("fsub", width, shifted, code.number(_ROUND, width))
    minus = code.let(f"fneg {kind(width)} {n}")
    r = code.fma(width, minus, code.number(_LN2_HIGH, width), x)
    r = code.fma(width, minus, code.number(_LN2_LOW, width), r)
    bits = code.as_integer(width, shifted)
    return code.whole("sub", width, bits, code.integer(_ROUND_BITS, width)), r


def _power_of_two(code: Code, width: int, n: str) -> str:
    """2**n for -1022 <= n <= 1023."""
    raised = code.whole("add", width, n, code.integer(1023, width))
    return code.as_number(width, code.whole("shl", width, raised, code.integer(52, width)))


def _exp(code: Code, width: int, x: str) -> str:
    x = _clamped(code, width, x, -760.0, 710.0)
    n, r = _reduced(code, width, x)
    taylor = [1 / math.factorial(k) for k in range(1, 14)]
    grown = _polynomial(code, width, r, taylor)
    e = code.fma(width, grown, r, code.number(1.0, width))
    # 2**n in two halves: near both ends it is no double, although the result is
    half = code.whole("ashr", width, n, code.integer(1, width))
    rest = code.whole("sub", width, n, half)
    e = code.binary("fmul", width, e, _power_of_two(code, width, half))
    return code.binary("fmul", width, e, _power_of_two(code, width, rest))


def _expm1_below_0(code: Code, width: int, x: str) -> str:
    """e**x - 1 for -80 <= x <= 0."""
    n, r = _reduced(code, width, x)
    taylor = [1 / math.factorial(k) for k in range(2, 15)]
    grown = _polynomial(code, width, r, taylor)
    square = code.binary("fmul", width, r, r)
    less = code.fma(width, grown, square, r)  # e**r - 1
    power = _power_of_two(code, width, n)
    rest = code.binary("fsub", width, power, code.number(1.0, width))
    return code.fma(width, power, less, rest)


def _tanh(code: Code, width: int, x: str) -> str:
    """-t / (t + 2) for t = e**(-2|x|) - 1, with the sign of x."""
    size = code.call("fabs", width, x)
    doubled = code.binary("fmul", width, size, code.number(-2.0, width))
    t = _expm1_below_0(code, width, _clamped(code, width, doubled, -80.0, 0.0))
    under = code.binary("fadd", width, t, code.number(2.0, width))
    minus = code.let(f"fneg {kind(width)} {t}")
    found = code.binary("fdiv", width, minus, under)
    tiny = code.compare("olt", width, size, code.number(1e-9, width))
    return code.call("copysign", width, code.select(width, tiny, size, found), x)


_LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
    2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
    1.479819860511658591e-01,
)  # fmt: skip


def _log(code: Code, width: int, x: str) -> str:
    """log of m * 2**k = k ln 2 + f - (f**2 / 2 - s (f**2 / 2 + R)), f = m - 1, s = f / (2 + f)."""
    small = code.compare("olt", width, x, code.number(2.2250738585072014e-308, width))
    grown = code.binary("fmul", width, x, code.number(2.0**54, width))
    bits = code.as_integer(width, code.select(width, small, grown, x))
    # m lies between sqrt(1/2) and sqrt(2)
    offset = code.integer(0x3FE6A09E667F3BCD, width)
    over = code.whole("sub", width, bits, offset)
    k = code.whole("ashr", width, over, code.integer(52, width))
    fraction = code.whole("and", width, over, code.integer(0x000FFFFFFFFFFFFF, width))
    m = code.as_number(width, code.whole("add", width, fraction, offset))
    t, i = kind(width), kind(width, "i64")
    exponent = code.let(f"sitofp {i} {k} to {t}")
    less = code.binary("fsub", width, exponent, code.number(54.0, width))
    exponent = code.select(width, small, less, exponent)
    f = code.binary("fsub", width, m, code.number(1.0, width))
    s = code.binary("fdiv", width, f, code.binary("fadd", width, f, code.number(2.0, width)))
    z = code.binary("fmul", width, s, s)
    series = code.binary("fmul", width, z, _polynomial(code, width, z, list(_LOG)))
    half = code.binary("fmul", width, code.binary("fmul", width, f, code.number(0.5, width)), f)
    low = code.binary("fmul", width, exponent, code.number(_LN2_LOW, width))
    inner = code.fma(width, s, code.binary("fadd", width, half, series), low)
    inner = code.binary("fsub", width, code.binary("fsub", width, half, inner), f)
    high = code.binary("fmul", width, exponent, code.number(_LN2_HIGH, width))
    found = code.binary("fsub", width, high, inner)
    infinity, zero = code.number(math.inf, width), code.number(0.0, width)
    for relation, edge, answer in (
        ("oeq", infinity, infinity),
        ("oeq", zero, code.number(-math.inf, width)),
        ("olt", zero, code.number(math.nan, width)),
        ("uno", zero, x),
    ):
        found = code.select(width, code.compare(relation, width, x, edge), answer, found)
    return found


def _sigmoid(code: Code, width: int, x: str) -> str:
    """1 / (1 + e**-x)."""
    e = _called("exp", code, width, code.let(f"fneg {kind(width)} {x}"))
    one = code.number(1.0, width)
    return code.binary("fdiv", width, one, code.binary("fadd", width, one, e))


def _softplus(code: Code, width: int, x: str) -> str:
    """max(x, 0) + log(1 + u), u = e**-|x|; what 1 + u rounds away is added: (u - (w - 1)) / w."""
    size = code.call("fabs", width, x)
    u = _called("exp", code, width, code.let(f"fneg {kind(width)} {size}"))
    one, zero = code.number(1.0, width), code.number(0.0, width)
    w = code.binary("fadd", width, u, one)
    lost = code.binary("fsub", width, u, code.binary("fsub", width, w, one))
    lost = code.binary("fdiv", width, lost, w)
    found = code.binary("fadd", width, _called("log", code, width, w), lost)
    above = code.select(width, code.compare("ogt", width, x, zero), x, zero)
    return code.binary("fadd", width, above, found)


VECTORISED: dict[str, Callable[[Code, int, str], str]] = {
    "exp": _exp,
    "log": _log,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
}
