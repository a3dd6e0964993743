//! Sets of texts that regular expressions describe: whether they meet, and whether one holds another.

use std::collections::HashSet;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

/// Combinations of states that are looked at. More stay undecided: a contract must not keep its reader busy.
const COMBINATIONS: usize = 4_096;
/// What one expression may take, in bytes.
const LARGEST: usize = 4 << 20;

/// Whether some text matches all of the expressions from end to end; `None` where that is not found out cheaply.
pub(super) fn meet(patterns: &[&str]) -> Option<bool> {
    let mut automata = patterns.iter().map(|p| Automaton::new(p)).collect::<Option<Vec<_>>>()?;
    reaches(&mut automata, |ends| ends.iter().all(|end| *end))
}

/// Whether every text that matches all of `inner` matches `outer`; `None` where that is not found out cheaply.
pub(super) fn within(inner: &[&str], outer: &str) -> Option<bool> {
    let all = inner.iter().copied().chain([outer]);
    let mut automata = all.map(Automaton::new).collect::<Option<Vec<_>>>()?;
    let escaped = reaches(&mut automata, |ends| match ends.split_last() {
        Some((outer, inner)) => !outer && inner.iter().all(|end| *end),
        None => false,
    });
    escaped.map(|escaped| !escaped)
}

/// Whether some bytes lead to states whose ends (does the text so far match?) are what is looked for.
fn reaches(automata: &mut [Automaton], wanted: impl Fn(&[bool]) -> bool) -> Option<bool> {
    let start = automata.iter_mut().map(Automaton::start).collect::<Option<Vec<_>>>()?;
    let bytes = distinct_bytes(automata);
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(states) = open.pop() {
        let paired = automata.iter_mut().zip(&states);
        let ends = paired.map(|(a, state)| a.ends(*state)).collect::<Option<Vec<_>>>()?;
        if wanted(&ends) {
            return Some(true);
        }
        for &byte in &bytes {
            let paired = automata.iter_mut().zip(&states);
            let next = paired.map(|(a, state)| a.next(*state, byte)).collect::<Option<Vec<_>>>()?;
            // The first expression decides which texts are looked at: from its dead end nothing can match it.
            if next.first().is_some_and(|state| state.is_dead()) || !seen.insert(next.clone()) {
                continue;
            }
            if seen.len() > COMBINATIONS {
                return None;
            }
            open.push(next);
        }
    }
    Some(false)
}

/// One byte for each that the automata tell apart.
fn distinct_bytes(automata: &[Automaton]) -> Vec<u8> {
    let mut told: HashSet<Vec<u8>> = HashSet::new();
    let classes = |byte| automata.iter().map(|a| a.dfa.byte_classes().get(byte)).collect();
    (0..=u8::MAX).filter(|byte| told.insert(classes(*byte))).collect()
}

struct Automaton {
    dfa: DFA,
    cache: Cache,
}

impl Automaton {
    fn new(pattern: &str) -> Option<Self> {
        let dfa = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).cache_capacity(LARGEST))
            .thompson(thompson::Config::new().nfa_size_limit(Some(LARGEST)))
            .build(&format!("\\A(?:{pattern})\\z"))
            .ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    fn start(&mut self) -> Option<LazyStateID> {
        let config = start::Config::new().anchored(Anchored::Yes);
        self.dfa.start_state(&mut self.cache, &config).ok()
    }

    /// The state after one more byte; `None` where the automaton gives up.
    fn next(&mut self, state: LazyStateID, byte: u8) -> Option<LazyStateID> {
        let next = self.dfa.next_state(&mut self.cache, state, byte).ok()?;
        self.kept(next)
    }

    /// Whether the text that led here is a whole match.
    fn ends(&mut self, state: LazyStateID) -> Option<bool> {
        let end = self.dfa.next_eoi_state(&mut self.cache, state).ok()?;
        self.kept(end).map(|end| end.is_match())
    }

    /// States are numbers of the cache: once it was cleared, those in hand mean nothing.
    fn kept(&self, state: LazyStateID) -> Option<LazyStateID> {
        (!state.is_quit() && self.cache.clear_count() == 0).then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_meet_where_one_text_matches_both() {
        for (a, b, expected) in [
            ("[0-9]{6}", "[A-Z]+", Some(false)),
            ("[0-9]{6}", r"33\d{4}", Some(true)),
            // `\d` has digits of other scripts, but six ASCII ones are among them.
            ("[0-9]{6}", ".{7,}", Some(false)),
            (r"\p{Han}{2,4}", "[a-z]*", Some(false)),
            (r"\p{Han}{2,4}", "张.+", Some(true)),
            ("", "a*", Some(true)),
            // A Unicode word boundary is beyond these automata.
            (r"\p{Han}+\b", r"\p{Han}", None),
        ] {
            assert_eq!(meet(&[a, b]), expected, "{a} and {b}");
        }
        assert_eq!(meet(&["a|b", "b|c", "c|a"]), Some(false), "each two meet, all three do not");
    }

    #[test]
    fn one_expression_holds_another() {
        for (inner, outer, expected) in [
            ("[0-9]{6}", r"\d+", Some(true)),
            (r"\d{6}", "[0-9]{6}", Some(false)),
            ("33[0-9]{4}", "[0-9]{6}", Some(true)),
            ("[0-9]{6}", "33[0-9]{4}", Some(false)),
            ("a{2,3}", "(?s:.){0,3}", Some(true)),
            ("张.{1,3}", "(?s:.){0,3}", Some(false)),
        ] {
            assert_eq!(within(&[inner], outer), expected, "{inner} in {outer}");
        }
    }
}
