//! COPY and REPLACE: text that comes from elsewhere, with words exchanged.

use fenhe_core::{Attachment, Result};

use super::lexer::{Literal, Token, TokenKind, tokens};
use super::source::SourceForm;

/// Copybooks may include copybooks; more than this many levels is a loop.
const MAX_DEPTH: usize = 16;

/// Tokens of all copybooks together: a copybook that includes itself many times must end.
const MAX_TOKENS: usize = 2_000_000;

/// Where COPY finds other copybooks, by name without regard to case and extension.
#[derive(Clone, Debug, Default)]
pub(crate) struct Library<'a> {
    pub(crate) members: &'a [Attachment],
    pub(crate) form: SourceForm,
}

/// One `==this== BY ==that==`.
#[derive(Clone, Debug)]
struct Replacement {
    from: Vec<Token>,
    to: Vec<Token>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    Leading,
    Trailing,
}

/// Carries out the COPY and REPLACE statements in `input`.
pub(crate) fn expand(input: Vec<Token>, library: &Library<'_>) -> Result<Vec<Token>> {
    let mut out = Vec::with_capacity(input.len());
    copy(input, library, 0, &mut out)?;
    Ok(out)
}

/// Applies `==a== BY ==b==` pairs written as text to the tokens.
pub(crate) fn replacing(text: &str, input: Vec<Token>) -> Result<Vec<Token>> {
    let rules = tokens(text, SourceForm::Free)?;
    let (rules, _) = pairs(&rules)?;
    Ok(apply(&input, &rules))
}

fn copy(
    input: Vec<Token>,
    library: &Library<'_>,
    depth: usize,
    out: &mut Vec<Token>,
) -> Result<()> {
    let mut rules: Vec<Replacement> = Vec::new();
    let mut plain: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(token) = input.get(at) {
        let word = token.upper();
        if word != "COPY" && word != "REPLACE" {
            plain.push(token.clone());
            at += 1;
            continue;
        }
        out.extend(apply(&plain, &rules));
        plain.clear();
        let rest = input.get(at + 1..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|t| t.kind == TokenKind::Period)
            .ok_or_else(|| token.error(format!("{word} without a period")))?;
        let statement = rest.get(..end).unwrap_or_default();
        at += end + 2;
        if word == "REPLACE" {
            rules = if statement.first().is_some_and(|t| t.upper() == "OFF") {
                Vec::new()
            } else {
                pairs(statement)?.0
            };
            continue;
        }
        if depth >= MAX_DEPTH {
            return Err(token.error("COPY is nested too deeply: does the copybook include itself?"));
        }
        let included = member(token, statement, library)?;
        let own = match statement.iter().position(|t| t.upper() == "REPLACING") {
            Some(at) => pairs(statement.get(at + 1..).unwrap_or_default())?.0,
            None => Vec::new(),
        };
        let mut inner = Vec::new();
        copy(included, library, depth + 1, &mut inner)?;
        out.extend(apply(&apply(&inner, &own), &rules));
        if out.len() > MAX_TOKENS {
            return Err(token.error(format!("more than {MAX_TOKENS} words after COPY")));
        }
    }
    out.extend(apply(&plain, &rules));
    Ok(())
}

fn member(copy: &Token, statement: &[Token], library: &Library<'_>) -> Result<Vec<Token>> {
    let name = match statement.first().map(|t| &t.kind) {
        Some(TokenKind::Word(word)) => word.as_str(),
        Some(TokenKind::Literal(Literal::Text(text))) => text.as_str(),
        _ => return Err(copy.error("COPY without a name")),
    };
    let found = library.members.iter().find(|m| stem(&m.name).eq_ignore_ascii_case(stem(name)));
    match found {
        Some(member) => {
            tokens(&member.text, library.form).map_err(|e| e.source_name(member.name.clone()))
        }
        None => Err(copy
            .error(format!("COPY {name}: this copybook was not given"))
            .hint("give it with library=FILE, or put its text in place of the COPY statement")),
    }
}

/// The file name without folders and extension.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.split('.').next().unwrap_or(file)
}

/// The pairs of a REPLACING phrase, and how many tokens they take.
fn pairs(statement: &[Token]) -> Result<(Vec<Replacement>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = statement.get(at) {
        let place = match token.upper().as_str() {
            "LEADING" => Place::Leading,
            "TRAILING" => Place::Trailing,
            _ => Place::Whole,
        };
        at += usize::from(place != Place::Whole);
        let from = operand(statement, &mut at, token)?;
        match statement.get(at).map(Token::upper).as_deref() {
            Some("BY") => at += 1,
            _ => return Err(token.error("REPLACING without BY")),
        }
        let to = operand(statement, &mut at, token)?;
        if from.is_empty() {
            return Err(token.error("REPLACING of nothing"));
        }
        found.push(Replacement { from, to, place });
    }
    Ok((found, at))
}

fn operand(statement: &[Token], at: &mut usize, near: &Token) -> Result<Vec<Token>> {
    let token = statement.get(*at).ok_or_else(|| near.error("REPLACING ends too early"))?;
    *at += 1;
    Ok(match &token.kind {
        TokenKind::Pseudo(inner) => inner.clone(),
        _ => vec![token.clone()],
    })
}

fn apply(input: &[Token], rules: &[Replacement]) -> Vec<Token> {
    if rules.is_empty() {
        return input.to_vec();
    }
    let mut out = Vec::with_capacity(input.len());
    let mut at = 0;
    while let Some(token) = input.get(at) {
        let rest = input.get(at..).unwrap_or_default();
        match rules.iter().find_map(|rule| rule.apply(rest)) {
            Some((new, used)) => {
                let here = |mut t: Token| {
                    (t.line, t.column) = (token.line, token.column);
                    t
                };
                out.extend(new.into_iter().map(here));
                at += used.max(1);
            }
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

impl Replacement {
    /// The new tokens and how many old ones they stand for, if the rule applies here.
    fn apply(&self, rest: &[Token]) -> Option<(Vec<Token>, usize)> {
        let same = |a: &Token, b: &Token| match (a.word(), b.word()) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => a.kind == b.kind,
        };
        if self.place == Place::Whole
            && rest.len() >= self.from.len()
            && self.from.iter().zip(rest).all(|(a, b)| same(a, b))
        {
            return Some((self.to.clone(), self.from.len()));
        }
        self.inside(rest.first()?).map(|token| (vec![token], 1))
    }

    /// A part of one word: `:TAG:` or `(TAG)` anywhere, LEADING and TRAILING at the ends.
    fn inside(&self, token: &Token) -> Option<Token> {
        let [from] = self.from.as_slice() else { return None };
        let (from, word) = (from.word()?, token.word()?);
        let to = match self.to.as_slice() {
            [] => "",
            [to] => to.word()?,
            _ => return None,
        };
        let starts = word.get(..from.len()).is_some_and(|w| w.eq_ignore_ascii_case(from));
        let tail = word.len().checked_sub(from.len())?;
        let ends = word.get(tail..).is_some_and(|w| w.eq_ignore_ascii_case(from));
        let new = match self.place {
            Place::Leading if starts => format!("{to}{}", word.get(from.len()..)?),
            Place::Trailing if ends => format!("{}{to}", word.get(..tail)?),
            Place::Whole if is_tag(from) && word.contains(from) => word.replace(from, to),
            _ => return None,
        };
        Some(Token { kind: TokenKind::Word(new), ..token.clone() })
    }
}

/// Pseudo-text such as `:TAG:` is a text word of its own and may stand inside a name.
fn is_tag(word: &str) -> bool {
    let delimited = |open: char, close: char| word.starts_with(open) && word.ends_with(close);
    word.len() > 2 && (delimited(':', ':') || delimited('(', ')') || delimited('*', '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, members: &[Attachment]) -> String {
        let library = Library { members, form: SourceForm::Free };
        let out = expand(tokens(text, SourceForm::Free).unwrap(), &library).unwrap();
        let show = |t: &Token| match &t.kind {
            TokenKind::Word(w) => w.clone(),
            TokenKind::Period => ".".into(),
            other => format!("{other:?}"),
        };
        out.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn copy_replaces_tags_words_and_prefixes() {
        let member = Attachment {
            name: "lib/CUST.cpy".into(),
            text: "05 :T:-ID PIC X. 05 OLD-A PIC 9(3).".into(),
        };
        let text = "01 R. COPY CUST REPLACING ==:T:== BY ==NEW== LEADING ==OLD== BY ==X== ==9(3)== BY ==9(5)==.";
        assert_eq!(expanded(text, &[member]), "01 R . 05 NEW-ID PIC X . 05 X-A PIC 9(5) .");
    }

    #[test]
    fn a_copybook_that_includes_itself_is_refused() {
        let member = Attachment { name: "A.cpy".into(), text: "COPY A.".into() };
        let library = Library { members: &[member], form: SourceForm::Free };
        let error = expand(tokens("COPY A.", SourceForm::Free).unwrap(), &library).unwrap_err();
        assert!(error.message().contains("nested"), "{error}");
    }
}
