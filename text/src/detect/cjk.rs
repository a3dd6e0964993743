//! The multi-byte encodings of East Asia against each other and against single-byte pages.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::frequent::share;
use super::{Detection, Survey, survey};
use crate::encoding::Encoding;

/// How one candidate reads.
struct Reading {
    encoding: Encoding,
    survey: Survey,
    share: f32,
    score: f32,
}

pub(super) fn by_frequency(sample: &[u8]) -> Detection {
    let voice = chardetng_says(sample);
    let mut readings: Vec<Reading> = [
        Encoding::GB18030,
        Encoding::BIG5,
        Encoding::SHIFT_JIS,
        Encoding::EUC_JP,
        Encoding::EUC_KR,
    ]
    .into_iter()
    .map(|encoding| read(encoding, sample, voice))
    .collect();
    readings.sort_by(|a, b| b.score.total_cmp(&a.score));
    let single = voice.filter(|v| !v.is_multi_byte());
    match readings.first() {
        Some(best) if best.score > 0.0 && (best.share >= 0.12 || single.is_none()) => {
            east_asian(sample, &readings, voice)
        }
        _ => western(sample, single),
    }
}

fn read(encoding: Encoding, sample: &[u8], voice: Option<Encoding>) -> Reading {
    let survey = survey(encoding, sample);
    let share = share(encoding, sample);
    let beyond = survey.beyond_ascii.max(1) as f32;
    // One damaged character in a hundred is damage; one in ten is the wrong encoding.
    let damage = (survey.errors as f32 / beyond * 10.0).min(2.0);
    let agrees = if voice == Some(encoding)
        || (voice == Some(Encoding::GBK) && encoding == Encoding::GB18030)
    {
        0.2
    } else {
        0.0
    };
    Reading { encoding, survey, share, score: share + agrees + 0.05 - damage }
}

fn east_asian(sample: &[u8], readings: &[Reading], voice: Option<Encoding>) -> Detection {
    let [best, others @ ..] = readings else {
        return western(sample, voice);
    };
    let (encoding, form) = match best.encoding {
        Encoding::GB18030 if survey(Encoding::GBK, sample).errors == best.survey.errors => {
            (Encoding::GBK, "; no four-byte codes, so GBK will do")
        }
        Encoding::GB18030 => (Encoding::GB18030, "; four-byte codes occur, so it is GB 18030"),
        other => (other, ""),
    };
    let why = format!(
        "as {}: {} characters outside ASCII, {} invalid, {:.0} % of them are among the most frequent of the language{form}",
        best.encoding,
        best.survey.beyond_ascii,
        best.survey.errors,
        best.share * 100.0
    );
    let lead = best.score - others.first().map_or(0.0, |o| o.score.max(0.0));
    let few = best.survey.beyond_ascii < 6;
    let confidence = (0.5 + lead.min(0.45)).min(if few { 0.7 } else { 0.95 });
    let mut found = Detection::new(encoding, confidence, why);
    for other in others {
        found = found.because(format!(
            "as {}: {} characters outside ASCII, {} invalid, {:.0} % frequent",
            other.encoding,
            other.survey.beyond_ascii,
            other.survey.errors,
            other.share * 100.0
        ));
        if other.survey.errors == 0 && other.score > 0.15 {
            found.alternatives.push(other.encoding);
        }
    }
    if encoding == Encoding::GBK {
        found.alternatives.insert(0, Encoding::GB18030);
    }
    with_voice(found, voice)
}

fn western(sample: &[u8], voice: Option<Encoding>) -> Detection {
    let encoding = voice.filter(|v| survey(*v, sample).errors == 0);
    match encoding {
        Some(encoding) => {
            let why = format!(
                "no multi-byte encoding fits; as the single-byte page {encoding} every byte has a meaning"
            );
            with_voice(Detection::new(encoding, 0.5, why), voice)
        }
        None => {
            let why =
                "no encoding reads the sample without errors: binary fields or mixed encodings"
                    .to_owned();
            with_voice(Detection::new(Encoding::ISO_8859_1, 0.05, why), voice)
        }
    }
}

fn with_voice(found: Detection, voice: Option<Encoding>) -> Detection {
    match voice {
        Some(name) => found.because(format!("chardetng takes it for {name}")),
        None => found,
    }
}

fn chardetng_says(sample: &[u8]) -> Option<Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    Encoding::for_label(detector.guess(None, Utf8Detection::Deny).name())
}
