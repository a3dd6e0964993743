//! The one place where records are counted.
//!
//! Every batch that is read opens an [`Entry`]; the entry ends in exactly one way: it is settled with what
//! became of its records, or it is dropped, and then its records count as not read (they go back to the source).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fenhe_core::Span;
use serde::{Deserialize, Serialize};

/// What became of the records of a run: `read = delivered + rejected + skipped + in_doubt`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Records read, counted where they are framed.
    pub read: u64,
    /// Rows that the target made durable, counted by the target.
    pub delivered: u64,
    /// Records rejected, by code.
    pub rejected: BTreeMap<String, u64>,
    /// Records passed over by a rule.
    pub skipped: u64,
    /// Rows whose fate the target could not tell.
    pub in_doubt: u64,
}

impl Books {
    /// Rejected records of all codes.
    pub fn rejects(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Whether every record read is accounted for.
    pub fn balance(&self) -> bool {
        self.read == self.delivered + self.rejects() + self.skipped + self.in_doubt
    }

    /// Counts one rejected record.
    pub fn reject(&mut self, code: &str) {
        match self.rejected.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.rejected.insert(code.into(), 1);
            }
        }
    }

    fn add(&mut self, other: &Books) {
        self.read += other.read;
        self.delivered += other.delivered;
        self.skipped += other.skipped;
        self.in_doubt += other.in_doubt;
        for (code, count) in &other.rejected {
            *self.rejected.entry(code.clone()).or_default() += count;
        }
    }
}

/// The accounts of one run. Clones share the same books.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    settled: Books,
    open: u64,
}

impl Accounts {
    /// Accounts that go on from the books of an interrupted run.
    pub fn resumed(books: Books) -> Self {
        let accounts = Self::default();
        accounts.with(|state| state.settled = books);
        accounts
    }

    /// Opens the entry of a batch.
    pub fn open(&self, span: Span) -> Entry {
        self.with(|state| state.open += span.read);
        Entry { accounts: self.clone(), read: span.read, skipped: span.skipped }
    }

    /// The books of everything settled.
    pub fn books(&self) -> Books {
        self.with(|state| state.settled.clone())
    }

    /// Records of entries that are neither settled nor dropped.
    pub fn unsettled(&self) -> u64 {
        self.with(|state| state.open)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An unfinished batch in the accounts. Dropped, it is a negative acknowledgement.
#[derive(Debug)]
#[must_use = "a dropped entry gives its records back to the source"]
pub struct Entry {
    accounts: Accounts,
    read: u64,
    skipped: u64,
}

/// What became of the records of several batches that were committed together.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Rows that the target says are durable.
    pub delivered: u64,
    /// Rejects by code, from decoding, mapping and the target.
    pub rejected: BTreeMap<String, u64>,
    /// Rows whose fate is unknown.
    pub in_doubt: u64,
}

impl Entry {
    /// Settles entries that were committed together.
    pub fn settle(entries: Vec<Entry>, outcome: Outcome) {
        let Some(accounts) = entries.first().map(|entry| entry.accounts.clone()) else {
            return;
        };
        let mut books = Books {
            delivered: outcome.delivered,
            rejected: outcome.rejected,
            in_doubt: outcome.in_doubt,
            ..Books::default()
        };
        for entry in &entries {
            books.read += entry.read;
            books.skipped += entry.skipped;
        }
        // Dropping the entries takes them out of the open ones.
        drop(entries);
        accounts.with(|state| state.settled.add(&books));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let read = self.read;
        self.accounts.with(|state| state.open = state.open.saturating_sub(read));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(read: u64, skipped: u64) -> Span {
        Span { first: 1, read, skipped, ..Span::default() }
    }

    #[test]
    fn a_dropped_entry_gives_its_records_back() {
        let accounts = Accounts::default();
        let entry = accounts.open(span(5, 0));
        assert_eq!(accounts.unsettled(), 5);
        drop(entry);
        assert_eq!((accounts.unsettled(), accounts.books().read), (0, 0));
    }

    #[test]
    fn a_row_that_the_target_lost_unbalances_the_books() {
        let accounts = Accounts::default();
        let entries = vec![accounts.open(span(5, 1)), accounts.open(span(5, 0))];
        let outcome =
            Outcome { delivered: 7, rejected: BTreeMap::from([("x.y".into(), 1)]), in_doubt: 0 };
        Entry::settle(entries, outcome);
        let books = accounts.books();
        assert_eq!((books.read, books.delivered, books.rejects(), books.skipped), (10, 7, 1, 1));
        assert!(!books.balance());
        assert_eq!(accounts.unsettled(), 0);
    }
}
