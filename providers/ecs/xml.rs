//! As much of XML as EC2 and STS answer with: elements and text. Attributes, comments and declarations are passed over.

/// The deepest nesting that is followed.
const DEEPEST: usize = 32;

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The whole document; none when it is no such thing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut open = vec![Self::default()];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            let last = open.last_mut()?;
            last.text.push_str(&unescaped(before.trim()));
            let (tag, after) = after.split_once('>')?;
            rest = after;
            if tag.starts_with(['?', '!']) {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                let done = open.pop().filter(|done| done.name == name.trim())?;
                open.last_mut()?.children.push(done);
                continue;
            }
            let name = tag.trim_end_matches('/').split_whitespace().next()?.to_owned();
            let element = Self { name, ..Self::default() };
            if tag.ends_with('/') {
                open.last_mut()?.children.push(element);
            } else if open.len() < DEEPEST {
                open.push(element);
            } else {
                return None;
            }
        }
        let [mut root] = <[Self; 1]>::try_from(open).ok()?;
        root.children.pop()
    }

    /// Elements at the end of this path.
    pub(crate) fn all<'a>(&'a self, path: &[&str]) -> Vec<&'a Self> {
        path.iter().fold(vec![self], |found, name| {
            found.into_iter().flat_map(|element| element.children.iter().filter(|child| child.name == *name)).collect()
        })
    }

    /// The text of the first element at the end of this path.
    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        self.all(path).first().map(|element| element.text.as_str())
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn documents() {
        let text = "<?xml version=\"1.0\"?>\n<A xmlns=\"x\"><set> <item><id>a&amp;b</id><none/></item><item><id>c</id></item> </set></A>";
        let document = Element::parse(text).expect("it is XML");
        let ids: Vec<_> = document.all(&["set", "item"]).iter().map(|item| item.text(&["id"])).collect();
        assert_eq!(ids, [Some("a&b"), Some("c")]);
        assert_eq!((document.text(&["set", "item", "none"]), document.text(&["x"])), (Some(""), None));
        for bad in ["", "<a>", "<a></b>", "<a", "</a>", "text"] {
            assert_eq!(Element::parse(bad), None, "{bad}");
        }
    }
}
