#!/usr/bin/env python3
"""Writes the tables of this folder byte by byte, without the encoder that they test. Expected rows are written by hand."""

import pathlib
import struct

HERE = pathlib.Path(__file__).parent


def table(version, language, fields, rows, count=None, flags=0, visual=False):
    record = 1 + sum(f[2] for f in fields)
    length = 33 + 32 * len(fields) + (263 if visual else 0)
    count = len(rows) if count is None else count
    out = bytes([version, 126, 7, 29]) + struct.pack("<IHH", count, length, record)
    out = out.ljust(28, b"\0") + bytes([flags, language, 0, 0])
    at = 1
    for name, kind, size, decimals, bits in fields:
        out += name.ljust(11, b"\0") + kind + struct.pack("<IBBB", at if visual else 0, size, decimals, bits)
        out += bytes(13)
        at += size
    out += b"\r" + (bytes(263) if visual else b"")
    assert len(out) == length
    for row in rows:
        assert len(row) == record, (row, record)
        out += row
    return out + b"\x1a"


def fpt(memos):
    out = bytes(6) + struct.pack(">H", 64) + bytes(504)
    blocks = []
    for kind, data in memos:
        blocks.append(len(out) // 64)
        out += struct.pack(">II", kind, len(data)) + data
        out += bytes(-len(out) % 64)
    return struct.pack(">I", len(out) // 64) + out[4:], blocks


def residents():
    fields = [(b"XM", b"C", 8, 0, 0), (b"CSRQ", b"D", 8, 0, 0), (b"JE", b"N", 9, 2, 0), (b"YX", b"L", 1, 0, 0)]
    row = lambda mark, xm, rq, je, yx: mark + xm.encode("gbk").ljust(8) + rq.ljust(8) + je.rjust(9) + yx
    rows = [
        row(b" ", "张三", b"19910203", b"1250.00", b"T"),
        row(b"*", "注销", b"19800101", b"0.00", b"F"),
        row(b" ", "欧阳建国", b"00000000", b"", b"?"),
        row(b" ", "李四", b"20260230", b"1.00", b"T"),
        row(b" ", "王五", b"20260102", b"*********", b"T"),
        # 8D 5C, 81 7C: second bytes that are a backslash and a bar.
        b" " + b"\x8d\x5c\x81\x7c    " + b"20260102" + b"    -0.05" + b"N",
    ]
    return table(0x03, 0x4D, fields, rows)


def visual():
    fields = [
        (b"ID", b"I", 4, 0, 0), (b"DM", b"V", 6, 0, 2), (b"JE", b"Y", 8, 4, 0), (b"SJ", b"T", 8, 0, 0),
        (b"BL", b"B", 8, 2, 0), (b"BZ", b"M", 4, 0, 0), (b"_NullFlags", b"0", 1, 0, 5),
    ]
    memo, blocks = fpt([(1, "办理完毕，材料已归档。".encode("gbk"))])

    def row(number, dm, je, day, ms, rate, block, flags):
        return (b" " + struct.pack("<i", number) + dm + struct.pack("<qIIdI", je, day, ms, rate, block) + bytes([flags]))

    # Bits: DM short (1), DM null (2).
    rows = [
        row(1, b"A01\0\0\x03", 10_000, 2_461_043, 0, 0.25, blocks[0], 1),
        row(-7, b"B00002", -1, 2_461_043, 86_399_999, -1.5, 0, 0),
        row(2_147_483_647, bytes(6), 0, 0, 0, 0.0, 0, 3),
    ]
    return table(0x32, 0x7A, fields, rows, flags=2, visual=True), memo


def main():
    def write(name, data):
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)

    write("gbk_residents/input.dbf", residents())
    data, memo = visual()
    write("visual_foxpro/input.dbf", data)
    write("visual_foxpro/input.fpt", memo)
    rows = [b" 12345", b" 67890", b" 11111"]
    write("count_too_small/input.dbf", table(0x03, 0, [(b"BH", b"C", 5, 0, 0)], rows, count=1))


main()
