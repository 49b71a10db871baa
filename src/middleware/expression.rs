//! What the expressions of buffering, circuitBreaker and jwt share: `&&`, `||`, `!`, parentheses and a cursor. Each brings
//! its own functions.

/// Nesting that is followed.
const MAX_DEPTH: usize = 64;

/// An expression over tests of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Logic<T> {
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Is(T),
}

impl<T> Logic<T> {
    /// `what` is the option's name; `test` reads one test. The error says what was expected and at which character,
    /// counted from 1.
    pub(crate) fn parse(
        what: &'static str,
        text: &str,
        mut test: impl FnMut(&mut Cursor<'_>) -> Result<T, String>,
    ) -> Result<Self, String> {
        let mut cursor = Cursor { what, text, at: 0, depth: 0 };
        let expression = any(&mut cursor, &mut test)?;
        if cursor.rest().is_empty() { Ok(expression) } else { Err(cursor.expected("`&&`, `||` or the end")) }
    }

    pub(crate) fn holds(&self, test: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(left, right) => left.holds(test) && right.holds(test),
            Self::Any(left, right) => left.holds(test) || right.holds(test),
            Self::Not(inner) => !inner.holds(test),
            Self::Is(one) => test(one),
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// The longer ones first: `>` begins `>=`.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl Operator {
    pub(crate) fn compare<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

type Test<'f, T> = &'f mut dyn FnMut(&mut Cursor<'_>) -> Result<T, String>;

fn any<T>(cursor: &mut Cursor<'_>, test: Test<'_, T>) -> Result<Logic<T>, String> {
    let mut left = all(cursor, test)?;
    while cursor.take("||") {
        left = Logic::Any(Box::new(left), Box::new(all(cursor, test)?));
    }
    Ok(left)
}

fn all<T>(cursor: &mut Cursor<'_>, test: Test<'_, T>) -> Result<Logic<T>, String> {
    let mut left = one(cursor, test)?;
    while cursor.take("&&") {
        left = Logic::All(Box::new(left), Box::new(one(cursor, test)?));
    }
    Ok(left)
}

fn one<T>(cursor: &mut Cursor<'_>, test: Test<'_, T>) -> Result<Logic<T>, String> {
    cursor.depth += 1;
    if cursor.depth > MAX_DEPTH {
        return Err(cursor.expected("less nesting"));
    }
    let one = if cursor.take("!") {
        Logic::Not(Box::new(one(cursor, test)?))
    } else if cursor.take("(") {
        let inner = any(cursor, test)?;
        if !cursor.take(")") {
            return Err(cursor.expected("`)`"));
        }
        inner
    } else {
        Logic::Is(test(cursor)?)
    };
    cursor.depth -= 1;
    Ok(one)
}

/// Where the reading stands.
pub(crate) struct Cursor<'a> {
    what: &'static str,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    /// What is still to be read, blanks passed over.
    pub(crate) fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    /// Passes over this token, if it comes next.
    pub(crate) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Passes over as much as `belongs` says.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c: char| !belongs(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    pub(crate) fn operator(&mut self) -> Result<Operator, String> {
        let found = OPERATORS.iter().find(|(token, _)| self.take(token)).map(|(_, operator)| *operator);
        found.ok_or_else(|| self.expected("`>`, `>=`, `<`, `<=`, `==` or `!=`"))
    }

    /// A number made of what `belongs` to one; the cursor stays where it is when it is none.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, belongs: impl Fn(char) -> bool) -> Result<T, String> {
        let start = self.mark();
        let text = self.take_while(belongs);
        text.parse().map_err(|_| {
            self.back(start);
            self.expected("a number")
        })
    }

    /// A text in backticks or double quotes.
    pub(crate) fn quoted(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|quote| *quote == '"' || *quote == '`')?;
        let (inner, _) = rest[1..].split_once(quote)?;
        self.at += inner.len() + 2;
        Some(inner)
    }

    /// The error that something else was expected here.
    pub(crate) fn expected(&self, what: &str) -> String {
        let character = self.text[..self.at].chars().count() + 1;
        format!("{} {:?}, character {character}: {what} expected", self.what, self.text)
    }

    /// A place to which [`Cursor::back`] returns.
    pub(crate) fn mark(&mut self) -> usize {
        self.rest();
        self.at
    }

    pub(crate) fn back(&mut self, mark: usize) {
        self.at = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Logic<bool>, String> {
        Logic::parse("test", text, |cursor| match cursor.take_while(char::is_alphabetic) {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(cursor.expected("yes or no")),
        })
    }

    #[test]
    fn and_binds_tighter_than_or() {
        for (text, expected) in
            [("yes || yes && no", true), ("(yes || yes) && no", false), ("!no&&yes", true), ("!(no || yes)", false)]
        {
            assert_eq!(parse(text).expect("a good expression").holds(&|value| *value), expected, "{text}");
        }
    }

    #[test]
    fn errors_say_where() {
        for (text, at) in [("", 1), ("yes &&", 7), ("(yes", 5), ("yes no", 5)] {
            let error = parse(text).expect_err("a bad expression");
            assert!(error.contains(&format!("character {at}:")), "{error}");
        }
        assert!(parse(&"(".repeat(500)).expect_err("too deep").contains("less nesting"));
    }
}
