"""The innermost step of the scan, in vectors: a mentee against 64 mentors at once, and a word with one bit for each who may be worth a closer look.

A compiler that must find vectors in a loop decides by rules of thumb, and gave up on this one; so the vectors are written down, as LLVM's, which brings
them to whatever the processor has (AVX-512, AVX2, NEON). 16 bits a lane are enough for a bound. Where numba is missing, numpy does the same.
"""

from typing import Any

import numpy as np

from amont.matching.domain.engine.jit import COMPILED

LANES = 64
"""Mentors at a time: as many as a word has bits."""

FUNCTION, SITE, FACTOR, W_FUNCTION, W_MEETING, W_HOURS, HALF_HOURS, NEED = range(8)
"""Places in `asked`."""

_SHIFT = 9
"""A sum of products of levels and wishes is at most 72, so that nine bits more fit into 16."""
_FULL = 16
"""Half-hours that give all points for hours."""


def promising_by_numpy(
    read: Any, tile: Any, wish: Any, wish_end: Any, free: Any, bits: Any, free_end: Any, plane: Any, row: Any, function: Any, site: Any,
    asked: Any, lanes: Any, first: Any, last: Any,
) -> Any:  # fmt: skip
    """Clear the bits of `lanes` from word `first` to word `last` where the bound is not above what is needed; all the bits left, as one word.

    The bound of mentor l of the tile is `plane[row, l]`, and the sum of `read[tile, wish, l]`, shifted to the left by 9, times `asked[FACTOR]`, shifted
    to the right by 16; and hours * `asked[W_HOURS]` >> 4, where hours, at most 16, are the bits in common of `read[tile, free, l]` and `bits`; and
    `asked[W_MEETING]` where `site[l]` is `asked[SITE]`; less `asked[W_FUNCTION]` where `function[l]` is `asked[FUNCTION]`. There must be
    `asked[HALF_HOURS]` bits in common, too.

    `read` is (tiles, rows, w) uint8, w mentors a tile; `wish` and `free` int32, `bits` uint8, from the first to the second of `wish_end` and `free_end`;
    `plane` (.., tiles * w), `function` and `site` (tiles * w,) int16; `asked` (8,) int16, but for the factor, which is unsigned in the same bits;
    `lanes` (w / 64,) uint64.
    """
    left = np.uint64(0)
    wish, free, bits = wish[slice(*wish_end)], free[slice(*free_end)], bits[slice(*free_end)]
    for word in range(first, last):
        if not lanes[word]:
            continue
        near = slice(word * LANES, word * LANES + LANES)
        far = slice(tile * read.shape[2] + word * LANES, tile * read.shape[2] + word * LANES + LANES)
        served = read[tile, wish, near].sum(axis=0, dtype=np.int64)
        hours = np.minimum(np.bitwise_count(read[tile, free, near] & bits[:, None]).sum(axis=0, dtype=np.int64), 255)
        bound = (
            plane[row, far]
            + ((served << _SHIFT) * (int(asked[FACTOR]) & 0xFFFF) >> 16)
            + (np.minimum(hours, _FULL) * int(asked[W_HOURS]) >> 4)
        )
        bound += np.where(site[far] == asked[SITE], int(asked[W_MEETING]), 0) - np.where(
            function[far] == asked[FUNCTION], int(asked[W_FUNCTION]), 0
        )
        hits = (bound > asked[NEED]) & (hours >= asked[HALF_HOURS])
        lanes[word] &= np.packbits(hits, bitorder="little").view("<u8")[0].astype(np.uint64)
        left |= lanes[word]
    return left


promising: Any = promising_by_numpy
"""The same, written down for the compiler."""

if COMPILED:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    _I64 = ir.IntType(64)
    _BYTES, _SHORTS, _INTS = (ir.VectorType(ir.IntType(bits), LANES) for bits in (8, 16, 32))

    def _typed(_: Any, read: Any, tile: Any, wish: Any, wish_end: Any, free: Any, bits: Any, free_end: Any, plane: Any, row: Any, function: Any, site: Any,  # noqa: ARG001 - by name
               asked: Any, lanes: Any, first: Any, last: Any) -> Any:  # fmt: skip  # noqa: ARG001
        count, ends = types.int64, types.UniTuple(types.int64, 2)
        kinds = read, count, wish, ends, free, bits, ends, plane, count, function, site, asked, lanes, count, count
        return types.uint64(*kinds), _write_down

    def _write_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        read, wish, free, bits, plane, function, site, asked, lanes = (
            context.make_array(signature.args[at])(context, builder, args[at]) for at in (0, 2, 4, 5, 7, 9, 10, 11, 12)
        )
        tile, row, first, last = (args[at] for at in (1, 8, 13, 14))
        wishes, hours = (cgutils.unpack_tuple(builder, args[at], 2) for at in (3, 6))
        _, rows, width = cgutils.unpack_tuple(builder, read.shape, 3)
        _, whole = cgutils.unpack_tuple(builder, plane.shape, 2)
        mine = [_splat(builder, builder.load(builder.gep(asked.data, [_I64(at)]))) for at in range(8)]
        left = cgutils.alloca_once_value(builder, _I64(0))
        near = builder.mul(builder.mul(tile, rows), width)
        far = builder.mul(tile, width)
        planes = builder.mul(row, whole)

        def row_of(listed: Any, k: Any, base: Any) -> Any:
            at = builder.sext(builder.load(builder.gep(listed.data, [k])), _I64)
            return _load(builder, read.data, builder.add(builder.mul(at, width), base), _BYTES)

        with cgutils.for_range_slice(builder, first, last, _I64(1), _I64) as (word, _):
            at_word = builder.gep(lanes.data, [word])
            open_ = builder.load(at_word)
            with builder.if_then(builder.icmp_unsigned("!=", open_, _I64(0))):
                base = builder.add(near, builder.mul(word, _I64(LANES)))
                lane = builder.add(far, builder.mul(word, _I64(LANES)))
                served = cgutils.alloca_once_value(builder, _all(_BYTES, 0))
                builder.store(_all(_BYTES, 0), served)
                with cgutils.for_range_slice(builder, wishes[0], wishes[1], _I64(1), _I64) as (k, _):
                    builder.store(builder.add(builder.load(served), row_of(wish, k, base)), served)
                common = cgutils.alloca_once_value(builder, _all(_BYTES, 0))
                builder.store(_all(_BYTES, 0), common)
                with cgutils.for_range_slice(builder, hours[0], hours[1], _I64(1), _I64) as (k, _):
                    shared = builder.and_(row_of(free, k, base), _splat(builder, builder.load(builder.gep(bits.data, [k]))))
                    counted = _called(builder, "llvm.ctpop.v64i8", shared)
                    builder.store(_called(builder, "llvm.uadd.sat.v64i8", builder.load(common), counted), common)
                both = builder.zext(builder.load(common), _SHORTS)
                full = _all(_SHORTS, _FULL)
                capped = builder.select(builder.icmp_unsigned("<", both, full), both, full)
                shifted = builder.shl(builder.zext(builder.load(served), _SHORTS), _all(_SHORTS, _SHIFT))
                product = builder.mul(builder.zext(shifted, _INTS), builder.zext(mine[FACTOR], _INTS))
                bound = builder.trunc(builder.lshr(product, _all(_INTS, 16)), _SHORTS)
                bound = builder.add(bound, builder.lshr(builder.mul(capped, mine[W_HOURS]), _all(_SHORTS, 4)))
                bound = builder.add(bound, _load(builder, plane.data, builder.add(planes, lane), _SHORTS))
                same = builder.icmp_signed("==", _load(builder, function.data, lane, _SHORTS), mine[FUNCTION])
                bound = builder.sub(bound, builder.select(same, mine[W_FUNCTION], _all(_SHORTS, 0)))
                same = builder.icmp_signed("==", _load(builder, site.data, lane, _SHORTS), mine[SITE])
                bound = builder.add(bound, builder.select(same, mine[W_MEETING], _all(_SHORTS, 0)))
                hit = builder.and_(builder.icmp_signed(">", bound, mine[NEED]), builder.icmp_signed(">=", both, mine[HALF_HOURS]))
                open_ = builder.and_(open_, builder.bitcast(hit, _I64))
                builder.store(open_, at_word)
                builder.store(builder.or_(builder.load(left), open_), left)
        return builder.load(left)

    def _all(kind: Any, value: int) -> Any:
        return ir.Constant(kind, [value] * LANES)

    def _load(builder: Any, data: Any, at: Any, kind: Any) -> Any:
        loaded = builder.load(builder.bitcast(builder.gep(data, [at]), kind.as_pointer()))
        loaded.align = kind.element.width // 8
        return loaded

    def _splat(builder: Any, value: Any) -> Any:
        kind = ir.VectorType(value.type, LANES)
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    def _called(builder: Any, name: str, *vectors: Any) -> Any:
        kind = ir.FunctionType(_BYTES, [_BYTES] * len(vectors))
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), vectors)

    promising = intrinsic(_typed)
