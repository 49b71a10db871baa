//! [`Line`]: a header line that many messages get. What its name is like is found out once, and not by whoever writes it.

/// See the module.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name and then the value, to be copied at once.
    pub(crate) text: Box<[u8]>,
    /// Where the value begins.
    pub(crate) value: usize,
    /// The name is one, in the case that Go writes it in.
    pub(crate) is_canonical: bool,
}

impl Line {
    pub fn new(name: &str, value: &str) -> Self {
        let text = [name.as_bytes(), value.as_bytes()].concat();
        Self { text: text.into(), value: name.len(), is_canonical: is_canonical(name.as_bytes()) }
    }

    pub fn name(&self) -> &[u8] {
        &self.text[..self.value]
    }

    pub fn value(&self) -> &[u8] {
        &self.text[self.value..]
    }
}

fn is_canonical(name: &[u8]) -> bool {
    let mut begins = true;
    let is_right = |byte: &u8| {
        let is_other = if begins { byte.is_ascii_lowercase() } else { byte.is_ascii_uppercase() };
        begins = *byte == b'-';
        (byte.is_ascii_alphanumeric() || *byte == b'-') && !is_other
    };
    !name.is_empty() && name.iter().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    #[track_caller]
    fn check(name: &str, is_known: bool) {
        let mut headers: Headers = [("A", "1"), ("X-Proxy", "2"), ("b", "3"), ("x-proxy", "4")].into_iter().collect();
        headers.set_line(&Line::new(name, "cop"));
        headers.push_line(&Line::new("B", "5"));
        let lines: Vec<_> = headers.spelled().collect();
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let texts: Vec<_> = lines.iter().map(|(spelled, value)| shown(spelled.name) + "=" + &shown(value)).collect();
        assert_eq!(texts, ["A=1".to_owned(), format!("{name}=cop"), "b=3".to_owned(), "B=5".to_owned()]);
        assert_eq!(
            lines.iter().map(|(spelled, _)| spelled.is_known).collect::<Vec<_>>(),
            [false, is_known, false, true]
        );
        assert_eq!(headers.get("x-pRoxy"), Some(&b"cop"[..]));
        assert!(headers.remove("X-Proxy") && !headers.contains("x-proxy"));
    }

    #[test]
    fn lines_are_set_and_found_like_others() {
        check("X-Proxy", true);
        check("x-proxy", false);
        check("X-PROXY", false);
        assert!(!is_canonical(b"") && !is_canonical(b"A:") && !is_canonical(b"A b") && is_canonical(b"X-1-A"));
    }
}
