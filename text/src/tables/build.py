#!/usr/bin/env python3
"""Writes single.bin and shifted.bin, the code page tables of this crate.

Run on a machine with glibc:  python3 text/src/tables/build.py
Last run: CPython 3.11.7, glibc 2.36.

Sources: CPython's codecs, which are generated from the mapping files of the Unicode
consortium (MAPPINGS/VENDORS, MAPPINGS/ISO8859), and glibc's iconv for the EBCDIC pages
CPython does not have. Kamenicky and Mazovia are the 437 table with the letters below put in.

single.bin   a page is 256 little-endian u16 (FFFF: the byte stands for nothing); the pages
             follow one another in the order of SINGLE, which src/pages.rs repeats
shifted.bin  for each page of SHIFTED: u8 count of rows, that many lead bytes, then for each
             row 191 little-endian u16 for the trail bytes 40..FE (FFFF: nothing)
"""
import ctypes, os, struct

libc = ctypes.CDLL(None, use_errno=True)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
libc.iconv_close.argtypes = [ctypes.c_void_p]


def iconv(page, data):
    """The characters of `data`, or None when iconv refuses it."""
    cd = libc.iconv_open(b"UTF-32LE", page.encode())
    assert cd != ctypes.c_void_p(-1).value, page
    src = ctypes.create_string_buffer(data, len(data))
    dst = ctypes.create_string_buffer(64)
    p = ctypes.c_void_p(ctypes.addressof(src)); n = ctypes.c_size_t(len(data))
    q = ctypes.c_void_p(ctypes.addressof(dst)); m = ctypes.c_size_t(64)
    rc = libc.iconv(cd, ctypes.byref(p), ctypes.byref(n), ctypes.byref(q), ctypes.byref(m))
    if rc != ctypes.c_size_t(-1).value:
        rc = libc.iconv(cd, None, None, ctypes.byref(q), ctypes.byref(m))
    libc.iconv_close(cd)
    if rc == ctypes.c_size_t(-1).value:
        return None
    return dst.raw[:64 - m.value].decode("utf-32-le")


def from_python(codec):
    def one(b):
        try:
            return bytes([b]).decode(codec)
        except UnicodeDecodeError:
            return None
    return [one(b) for b in range(256)]


def from_iconv(page):
    return [iconv(page, bytes([b])) for b in range(256)]


def shifted_single(page):
    """The single-byte half of a mixed page; the shift bytes themselves stand for nothing."""
    return [None if b in (0x0E, 0x0F) else iconv(page, bytes([b])) for b in range(256)]


def patched(codec, first, letters):
    t = from_python(codec)
    for i, c in enumerate(letters):
        if c != " ":
            t[first + i] = c
    return t


KAMENICKY = "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼§"  # 80..AD; the printers of Star call it 3844
# As the printers of Star have it (3843); 9B is the cent sign in some variants and zł in others: left out.
MAZOVIA = {0x86: "ą", 0x8D: "ć", 0x8F: "Ą", 0x90: "Ę", 0x91: "ę", 0x92: "ł", 0x95: "Ć", 0x98: "Ś",
           0x9C: "Ł", 0x9E: "ś", 0xA0: "Ź", 0xA1: "Ż", 0xA3: "Ó", 0xA4: "ń", 0xA5: "Ń", 0xA6: "ź",
           0xA7: "ż", 0x9B: None}


def mazovia():
    t = from_python("cp437")
    for b, c in MAZOVIA.items():
        t[b] = c
    return t


def cp875():
    """The mapping file has the substitute character, 3F, for every byte without a meaning."""
    return [None if c == "\x1a" and b != 0x3F else c for b, c in enumerate(from_python("cp875"))]


PY = from_python
SINGLE = (
    [PY(f"cp{n}") for n in (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869)]
    + [patched("cp437", 0x80, KAMENICKY), mazovia()]
    + [PY("cp874")] + [PY(f"cp{n}") for n in range(1250, 1259)]
    + [PY(f"iso8859_{n}") for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + [PY("koi8_r"), PY("koi8_u")]
    + [PY(n) for n in ("mac_roman", "mac_greek", "mac_cyrillic", "mac_latin2", "mac_iceland", "mac_turkish")]
    + [PY(n) for n in ("cp037", "cp273")]
    + [from_iconv(f"IBM{n}") for n in (277, 278, 280, 284, 285, 297)]
    + [PY("cp500")] + [from_iconv("IBM871")] + [cp875(), PY("cp1026")] + [from_iconv("IBM1047")] + [PY("cp1140")]
    + [from_iconv(f"IBM{n}") for n in range(1141, 1150)]
    + [shifted_single(n) for n in ("IBM935", "IBM937", "IBM939", "IBM1388")]
)
SHIFTED = ("IBM935", "IBM937", "IBM939", "IBM1388")

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "single.bin"), "wb") as f:
    for page in SINGLE:
        for c in page:
            assert c is None or (len(c) == 1 and ord(c) < 0xFFFE), c
            f.write(struct.pack("<H", 0xFFFF if c is None else ord(c)))

with open(os.path.join(here, "shifted.bin"), "wb") as f:
    for page in SHIFTED:
        rows = {}
        odd = 0
        for lead in range(0x40, 0xFF):
            row = []
            for trail in range(0x40, 0xFF):
                c = iconv(page, bytes([0x0E, lead, trail, 0x0F]))
                if c is not None and (len(c) != 1 or ord(c) > 0xFFFD):
                    odd += 1
                    print(page, f"{lead:02X}{trail:02X}", [f"{ord(x):04X}" for x in c])
                    c = None
                row.append(0xFFFF if c is None else ord(c))
            if any(v != 0xFFFF for v in row):
                rows[lead] = row
        f.write(bytes([len(rows)]) + bytes(rows))
        for row in rows.values():
            f.write(struct.pack("<191H", *row))
        print(page, len(rows), "rows", sum(v != 0xFFFF for r in rows.values() for v in r), "characters", odd, "left out")
print(len(SINGLE), "single-byte pages")
