//! The register: one line an encoding.
//!
//! Labels are written the way [`crate::label`] folds them: lower case, letters and digits only.
//! `cp`, `ibm`, `windows`, `ms`, `ccsid` followed by a number are found through the number.

use crate::encoding::Encoding;

/// How an encoding is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ascii,
    Utf8,
    Utf16 {
        big: bool,
    },
    Utf32 {
        big: bool,
    },
    /// Number of the page in `tables/single.bin`.
    Single(u8),
    Double(Family),
    /// Single-byte half (number in `tables/single.bin`), number in `tables/shifted.bin`.
    Shifted {
        single: u8,
        double: u8,
    },
}

/// The multi-byte families whose lead bytes are above 7F.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Gbk,
    Cp936,
    Gb18030,
    Gb18030y2005,
    Big5,
    ShiftJis,
    EucJp,
    EucKr,
}

/// One line of the register.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Numbers it goes by, the usual one first (Windows and IBM numbers do not clash here).
    pub(crate) numbers: &'static [u32],
    pub(crate) labels: &'static [&'static str],
    pub(crate) ebcdic: bool,
}

macro_rules! register {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $kind:expr, $ebcdic:literal, [$($number:literal),*], [$($label:literal),*];)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum Index { $($id),* }

        impl Encoding {
            $($(#[$doc])* pub const $id: Encoding = Encoding::from_index(Index::$id as u8);)*
        }

        pub(crate) static PAGES: &[Page] = &[$(
            Page { name: $name, kind: $kind, numbers: &[$($number),*], labels: &[$($label),*], ebcdic: $ebcdic },
        )*];
    };
}

use Family::{Big5, Cp936, EucJp, EucKr, Gb18030, Gb18030y2005, Gbk, ShiftJis};
use Kind::{Ascii, Double, Shifted, Single, Utf8, Utf16, Utf32};

register! {
    /// Seven bits, every byte above 7F refused.
    US_ASCII = "US-ASCII", Ascii, false, [20127, 367], ["ascii", "usascii", "646", "isoir6", "ansix341968", "iso646us"];
    /// UTF-8, strict: no surrogates, no overlong forms.
    UTF_8 = "UTF-8", Utf8, false, [65001, 1208], ["utf8", "u8", "unicodeutf8", "utf8sig", "utf8bom"];
    /// UTF-16, low byte first.
    UTF_16LE = "UTF-16LE", Utf16 { big: false }, false, [1200, 1202], ["utf16le", "utf16", "ucs2", "ucs2le", "unicode", "unicodeutf16", "utf16lesig"];
    /// UTF-16, high byte first.
    UTF_16BE = "UTF-16BE", Utf16 { big: true }, false, [1201], ["utf16be", "ucs2be", "unicodefffe"];
    /// UTF-32, low byte first.
    UTF_32LE = "UTF-32LE", Utf32 { big: false }, false, [12000], ["utf32le", "utf32", "ucs4le", "unicodeutf32"];
    /// UTF-32, high byte first.
    UTF_32BE = "UTF-32BE", Utf32 { big: true }, false, [12001], ["utf32be", "ucs4", "ucs4be"];
    /// GBK: pairs only. 80 is refused and the euro is A2E3, as in GB 18030; see [`Encoding::CP936`].
    GBK = "GBK", Double(Gbk), false, [1386, 51936], ["gbk", "gb2312", "gb231280", "euccn", "gb", "chinese", "isoir58", "csgb2312"];
    /// Microsoft's code page 936: GBK with the euro written as the single byte 80 (A2E3 is read as well).
    CP936 = "CP936", Double(Cp936), false, [936], ["xgbk"];
    /// GB 18030-2022: every Unicode scalar value has exactly one code.
    GB18030 = "GB18030", Double(Gb18030), false, [54936, 1392], ["gb18030", "gb180302022", "gb180302000"];
    /// GB 18030-2005: as [`Encoding::GB18030`] with the 18 pairs of codes exchanged back.
    GB18030_2005 = "GB18030-2005", Double(Gb18030y2005), false, [], ["gb180302005"];
    /// Big5 with the Hong Kong supplement, as the WHATWG Encoding Standard has it; also answers to code page 950.
    BIG5 = "Big5", Double(Big5), false, [950, 951, 1370], ["big5", "big5hkscs", "hkscs", "big5tw", "cnbig5", "csbig5", "xxbig5"];
    /// Shift_JIS as Microsoft's code page 932 has it.
    SHIFT_JIS = "Shift_JIS", Double(ShiftJis), false, [932, 943], ["shiftjis", "sjis", "sjs", "mskanji", "windows31j", "csshiftjis", "xsjis"];
    /// EUC-JP with JIS X 0212.
    EUC_JP = "EUC-JP", Double(EucJp), false, [51932, 20932, 954], ["eucjp", "ujis", "xeucjp"];
    /// EUC-KR as Microsoft's code page 949 (unified Hangul) has it.
    EUC_KR = "EUC-KR", Double(EucKr), false, [949, 51949, 970, 1363], ["euckr", "korean", "ksc5601", "ksc56011987", "ksx1001", "uhc", "ksx1001uhc"];

    /// IBM PC, United States.
    CP437 = "CP437", Single(0), false, [437], [];
    /// MS-DOS Arabic.
    CP720 = "CP720", Single(1), false, [720], ["dos720"];
    /// MS-DOS Greek.
    CP737 = "CP737", Single(2), false, [737], [];
    /// MS-DOS Baltic.
    CP775 = "CP775", Single(3), false, [775], [];
    /// IBM PC, Western Europe.
    CP850 = "CP850", Single(4), false, [850], [];
    /// IBM PC, Central Europe.
    CP852 = "CP852", Single(5), false, [852], [];
    /// IBM PC, Cyrillic (Serbia, Bulgaria).
    CP855 = "CP855", Single(6), false, [855], [];
    /// IBM PC, Turkish.
    CP857 = "CP857", Single(7), false, [857], [];
    /// CP850 with the euro.
    CP858 = "CP858", Single(8), false, [858], [];
    /// IBM PC, Portuguese.
    CP860 = "CP860", Single(9), false, [860], [];
    /// IBM PC, Icelandic.
    CP861 = "CP861", Single(10), false, [861], ["cpis"];
    /// IBM PC, Hebrew.
    CP862 = "CP862", Single(11), false, [862], [];
    /// IBM PC, Canadian French.
    CP863 = "CP863", Single(12), false, [863], [];
    /// IBM PC, Arabic. 25 is the Arabic percent sign: not a superset of ASCII.
    CP864 = "CP864", Single(13), false, [864], [];
    /// IBM PC, Nordic.
    CP865 = "CP865", Single(14), false, [865], [];
    /// IBM PC, Cyrillic (Russia).
    CP866 = "CP866", Single(15), false, [866], [];
    /// IBM PC, Greek.
    CP869 = "CP869", Single(16), false, [869], ["cpgr"];
    /// Kamenický (Czech and Slovak), number 895 in DBF files.
    KAMENICKY = "Kamenicky", Single(17), false, [895], ["kamenicky", "kam", "keybcs2"];
    /// Mazovia (Polish), number 620 in DBF files. 9B differs between variants and is refused.
    MAZOVIA = "Mazovia", Single(18), false, [620, 667], ["mazovia"];

    /// Windows Thai.
    WINDOWS_874 = "windows-874", Single(19), false, [874], ["dos874"];
    /// Windows Central Europe.
    WINDOWS_1250 = "windows-1250", Single(20), false, [1250], [];
    /// Windows Cyrillic.
    WINDOWS_1251 = "windows-1251", Single(21), false, [1251], [];
    /// Windows Western Europe. 81, 8D, 8F, 90 and 9D are refused (browsers make control characters of them).
    WINDOWS_1252 = "windows-1252", Single(22), false, [1252], ["ansi"];
    /// Windows Greek.
    WINDOWS_1253 = "windows-1253", Single(23), false, [1253], [];
    /// Windows Turkish.
    WINDOWS_1254 = "windows-1254", Single(24), false, [1254], [];
    /// Windows Hebrew.
    WINDOWS_1255 = "windows-1255", Single(25), false, [1255], [];
    /// Windows Arabic.
    WINDOWS_1256 = "windows-1256", Single(26), false, [1256], [];
    /// Windows Baltic.
    WINDOWS_1257 = "windows-1257", Single(27), false, [1257], [];
    /// Windows Vietnamese.
    WINDOWS_1258 = "windows-1258", Single(28), false, [1258], [];

    /// Latin 1, the ISO standard itself: 80..9F are control characters.
    ISO_8859_1 = "ISO-8859-1", Single(29), false, [28591, 819], ["latin1", "l1", "isoir100", "iso88591", "88591", "8859"];
    /// Latin 2, Central Europe.
    ISO_8859_2 = "ISO-8859-2", Single(30), false, [28592, 912], ["latin2", "l2", "isoir101", "iso88592", "88592"];
    /// Latin 3, South Europe.
    ISO_8859_3 = "ISO-8859-3", Single(31), false, [28593, 913], ["latin3", "l3", "isoir109", "iso88593", "88593"];
    /// Latin 4, North Europe.
    ISO_8859_4 = "ISO-8859-4", Single(32), false, [28594, 914], ["latin4", "l4", "isoir110", "iso88594", "88594"];
    /// Cyrillic.
    ISO_8859_5 = "ISO-8859-5", Single(33), false, [28595, 915], ["cyrillic", "isoir144", "iso88595", "88595"];
    /// Arabic.
    ISO_8859_6 = "ISO-8859-6", Single(34), false, [28596, 1089], ["arabic", "isoir127", "iso88596", "88596"];
    /// Greek.
    ISO_8859_7 = "ISO-8859-7", Single(35), false, [28597, 813], ["greek", "greek8", "isoir126", "iso88597", "88597"];
    /// Hebrew.
    ISO_8859_8 = "ISO-8859-8", Single(36), false, [28598, 38598, 916], ["hebrew", "isoir138", "iso88598", "88598"];
    /// Latin 5, Turkish.
    ISO_8859_9 = "ISO-8859-9", Single(37), false, [28599, 920], ["latin5", "l5", "isoir148", "iso88599", "88599"];
    /// Latin 6, Nordic.
    ISO_8859_10 = "ISO-8859-10", Single(38), false, [28600, 919], ["latin6", "l6", "isoir157", "iso885910", "885910"];
    /// Thai.
    ISO_8859_11 = "ISO-8859-11", Single(39), false, [28601], ["thai", "tis620", "iso885911", "885911"];
    /// Latin 7, Baltic.
    ISO_8859_13 = "ISO-8859-13", Single(40), false, [28603, 921], ["latin7", "l7", "iso885913", "885913"];
    /// Latin 8, Celtic.
    ISO_8859_14 = "ISO-8859-14", Single(41), false, [28604], ["latin8", "l8", "isoir199", "iso885914", "885914"];
    /// Latin 9: Latin 1 with the euro.
    ISO_8859_15 = "ISO-8859-15", Single(42), false, [28605, 923], ["latin9", "l9", "isoir203", "iso885915", "885915"];
    /// Latin 10, South-Eastern Europe.
    ISO_8859_16 = "ISO-8859-16", Single(43), false, [28606], ["latin10", "l10", "isoir226", "iso885916", "885916"];
    /// KOI8, Russian (RFC 1489).
    KOI8_R = "KOI8-R", Single(44), false, [20866, 878], ["koi8r", "koi8", "koi"];
    /// KOI8, Ukrainian (RFC 2319).
    KOI8_U = "KOI8-U", Single(45), false, [21866, 1168], ["koi8u"];

    /// Macintosh Roman, with the euro at DB.
    MAC_ROMAN = "macintosh", Single(46), false, [10000, 1275], ["macintosh", "mac", "macroman", "xmacroman", "csmacintosh"];
    /// Macintosh Greek.
    MAC_GREEK = "x-mac-greek", Single(47), false, [10006, 1280], ["macgreek"];
    /// Macintosh Cyrillic.
    MAC_CYRILLIC = "x-mac-cyrillic", Single(48), false, [10007, 10017, 1283], ["maccyrillic", "macukrainian"];
    /// Macintosh Central Europe.
    MAC_CENTRAL_EUROPE = "x-mac-ce", Single(49), false, [10029, 1282], ["macce", "maccentraleurope", "maclatin2", "maccentraleurroman"];
    /// Macintosh Icelandic.
    MAC_ICELAND = "x-mac-icelandic", Single(50), false, [10079, 1286], ["maciceland", "macicelandic"];
    /// Macintosh Turkish.
    MAC_TURKISH = "x-mac-turkish", Single(51), false, [10081, 1281], ["macturkish"];

    /// EBCDIC, United States and Canada.
    IBM037 = "IBM037", Single(52), true, [37, 20037], ["ebcdic", "ebcdicus", "ebcdiccpus", "ebcdiccpca", "ebcdiccpwt", "ebcdiccpnl"];
    /// EBCDIC, Germany and Austria.
    IBM273 = "IBM273", Single(53), true, [273, 20273], ["ebcdiccpde", "ebcdicde"];
    /// EBCDIC, Denmark and Norway.
    IBM277 = "IBM277", Single(54), true, [277, 20277], ["ebcdiccpdk", "ebcdiccpno"];
    /// EBCDIC, Finland and Sweden.
    IBM278 = "IBM278", Single(55), true, [278, 20278], ["ebcdiccpfi", "ebcdiccpse"];
    /// EBCDIC, Italy.
    IBM280 = "IBM280", Single(56), true, [280, 20280], ["ebcdiccpit"];
    /// EBCDIC, Spain and Latin America.
    IBM284 = "IBM284", Single(57), true, [284, 20284], ["ebcdiccpes"];
    /// EBCDIC, United Kingdom.
    IBM285 = "IBM285", Single(58), true, [285, 20285], ["ebcdiccpgb"];
    /// EBCDIC, France.
    IBM297 = "IBM297", Single(59), true, [297, 20297], ["ebcdiccpfr"];
    /// EBCDIC, international ("Latin 1").
    IBM500 = "IBM500", Single(60), true, [500], ["ebcdiccpbe", "ebcdiccpch", "ebcdicinternational"];
    /// EBCDIC, Iceland.
    IBM871 = "IBM871", Single(61), true, [871, 20871], ["ebcdiccpis"];
    /// EBCDIC, Greek.
    IBM875 = "IBM875", Single(62), true, [875], [];
    /// EBCDIC, Turkish.
    IBM1026 = "IBM1026", Single(63), true, [1026], [];
    /// EBCDIC of z/OS Unix System Services: 037 with brackets and caret elsewhere.
    IBM1047 = "IBM1047", Single(64), true, [1047, 20924], ["ebcdicopen"];
    /// 037 with the euro.
    IBM1140 = "IBM1140", Single(65), true, [1140], ["ebcdicus37euro"];
    /// 273 with the euro.
    IBM1141 = "IBM1141", Single(66), true, [1141], [];
    /// 277 with the euro.
    IBM1142 = "IBM1142", Single(67), true, [1142], [];
    /// 278 with the euro.
    IBM1143 = "IBM1143", Single(68), true, [1143], [];
    /// 280 with the euro.
    IBM1144 = "IBM1144", Single(69), true, [1144], [];
    /// 284 with the euro.
    IBM1145 = "IBM1145", Single(70), true, [1145], [];
    /// 285 with the euro.
    IBM1146 = "IBM1146", Single(71), true, [1146], [];
    /// 297 with the euro.
    IBM1147 = "IBM1147", Single(72), true, [1147], [];
    /// 500 with the euro.
    IBM1148 = "IBM1148", Single(73), true, [1148], [];
    /// 871 with the euro.
    IBM1149 = "IBM1149", Single(74), true, [1149], [];

    /// EBCDIC mixed, simplified Chinese (GB 2312).
    IBM935 = "IBM935", Shifted { single: 75, double: 0 }, true, [935], [];
    /// EBCDIC mixed, traditional Chinese.
    IBM937 = "IBM937", Shifted { single: 76, double: 1 }, true, [937], [];
    /// EBCDIC mixed, Japanese with Latin letters.
    IBM939 = "IBM939", Shifted { single: 77, double: 2 }, true, [939, 931, 5035], [];
    /// EBCDIC mixed, simplified Chinese (GBK).
    IBM1388 = "IBM1388", Shifted { single: 78, double: 3 }, true, [1388], [];
}
