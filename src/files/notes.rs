//! Notes of the parts of one stream, made one.

/// Takes up what a part says. Notes that begin with a number and go on alike are one, with the sum of their numbers: the
/// parts of a stream count each for themselves. What follows a `: ` is about single records or names: that of the first
/// part stays. A note without a number stands once however many parts say it.
pub(super) fn merge_note(notes: &mut Vec<String>, note: String) {
    let Some((more, about)) = counted(&note) else {
        if !notes.contains(&note) {
            notes.push(note);
        }
        return;
    };
    let same =
        |old: &&mut String| counted(old).is_some_and(|(_, other)| head(other) == head(about));
    match notes.iter_mut().find(same) {
        Some(old) => {
            if let Some((number, rest)) = counted(old) {
                *old = format!("{}{rest}", number.saturating_add(more));
            }
        }
        None => notes.push(note),
    }
}

/// The number that a note begins with, and the rest.
fn counted(note: &str) -> Option<(u64, &str)> {
    let end = note.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = note.split_at(end);
    Some((number.parse().ok()?, rest))
}

fn head(rest: &str) -> &str {
    rest.split_once(": ").map_or(rest, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use super::merge_note;

    fn merged(parts: &[&str]) -> Vec<String> {
        let mut notes = Vec::new();
        parts.iter().for_each(|note| merge_note(&mut notes, (*note).to_owned()));
        notes
    }

    #[test]
    fn numbers_of_the_same_finding_add_up() {
        let notes = merged(&["2 values were lost", "1 lines are blank", "40 values were lost"]);
        assert_eq!(notes, ["42 values were lost", "1 lines are blank"]);
    }

    #[test]
    fn the_first_part_says_where_the_first_one_is() {
        let notes = merged(&[
            "2 keys were left: the first in record 3",
            "5 keys were left: the first in record 9",
        ]);
        assert_eq!(notes, ["7 keys were left: the first in record 3"]);
    }

    #[test]
    fn what_has_no_number_is_said_once() {
        let notes = merged(&["the table is encrypted", "the table is encrypted", "20", "20", "2x"]);
        assert_eq!(notes, ["the table is encrypted", "20", "2x"]);
    }
}
