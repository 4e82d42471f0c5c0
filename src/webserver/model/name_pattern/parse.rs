//! Parses a regular expression in the syntax of PCRE. Bytes, not characters: servers compile the
//! expressions of names without UTF.

use super::syntax::{Anchor, ByteSet, LetterCase, Node, is_word_byte};

/// The longest expression that is parsed, in bytes.
const LIMIT: usize = 2_000;
/// The maximum nesting depth of groups.
const DEPTH: usize = 32;

/// Parses `text`; `None` for what certctl cannot evaluate and for what PCRE rejects.
pub(super) fn parse(text: &str, case: LetterCase) -> Option<Node> {
    if text.len() > LIMIT {
        return None;
    }
    let mut parser = PatternParser {
        text: text.as_bytes(),
        at: 0,
        case,
        depth: 0,
    };
    let node = parser.alternatives()?;
    (parser.at == text.len()).then_some(node)
}

struct PatternParser<'a> {
    text: &'a [u8],
    at: usize,
    case: LetterCase,
    depth: usize,
}

impl PatternParser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Skips `word` if it comes next.
    fn skip(&mut self, word: &str) -> bool {
        let is_next = self.text[self.at..].starts_with(word.as_bytes());
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// Parses `a|b|c` up to the end or to the `)` of the group.
    fn alternatives(&mut self) -> Option<Node> {
        let mut all = vec![self.sequence()?];
        while self.skip("|") {
            all.push(self.sequence()?);
        }
        Some(match all.len() {
            1 => all.remove(0),
            _ => Node::Alternatives(all),
        })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while self.peek().is_some_and(|byte| byte != b'|' && byte != b')') {
            let atom = self.atom()?;
            nodes.push(self.quantified(atom)?);
        }
        Some(Node::Sequence(nodes))
    }

    /// The next element without its quantifier.
    fn atom(&mut self) -> Option<Node> {
        Some(match self.next()? {
            b'(' => return self.group(),
            b'[' => Node::Set(self.class()?),
            b'.' => Node::Set(ByteSet::of(b'\n').complement()),
            b'^' => Node::At(Anchor::Start),
            b'$' => Node::At(Anchor::End),
            b'\\' => self.escape()?,
            b'*' | b'+' | b'?' => return None,
            b'{' if self.is_interval() => return None,
            byte => Node::Set(self.folded(ByteSet::of(byte))),
        })
    }

    fn quantified(&mut self, atom: Node) -> Option<Node> {
        let (least, most) = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => {
                let start = self.at;
                self.at += 1;
                if !self.is_interval() {
                    self.at = start;
                    return Some(atom);
                }
                self.interval()?
            }
            _ => return Some(atom),
        };
        // An assertion that is repeated is not a name.
        let is_repeatable = matches!(
            atom,
            Node::Set(_) | Node::Sequence(_) | Node::Alternatives(_)
        );
        if !is_repeatable || most.is_some_and(|most| most < least) {
            return None;
        }
        self.at += 1;
        let is_lazy = self.skip("?");
        // `a++` does not give back, and `a**` is an error.
        let is_followed = matches!(self.peek(), Some(b'*' | b'+' | b'?'));
        if is_followed || (!is_lazy && self.is_followed_by_interval()) {
            return None;
        }
        Some(Node::Repeat {
            node: Box::new(atom),
            least,
            most,
        })
    }

    fn is_followed_by_interval(&mut self) -> bool {
        let start = self.at;
        let found = self.skip("{") && self.is_interval();
        self.at = start;
        found
    }

    /// Returns whether `{`, which was just read, starts a repetition: `{2}`, `{2,}`, `{2,3}`, and in
    /// newer versions of PCRE `{,3}`. Otherwise it is a literal.
    fn is_interval(&self) -> bool {
        let rest = &self.text[self.at..];
        let Some(end) = rest.iter().position(|&byte| byte == b'}') else {
            return false;
        };
        let inside = &rest[..end];
        let commas = inside.iter().filter(|&&byte| byte == b',').count();
        let has_digit = inside.iter().any(u8::is_ascii_digit);
        let are_known = |byte: &u8| byte.is_ascii_digit() || *byte == b',';
        has_digit && commas <= 1 && inside.iter().all(are_known)
    }

    /// Parses `2}`, `2,}` or `2,3}`, up to the `}`; its versions read `{,3}` differently.
    fn interval(&mut self) -> Option<(usize, Option<usize>)> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|&byte| byte == b'}')?;
        let inside = std::str::from_utf8(&rest[..end]).ok()?;
        self.at += end;
        let number = |text: &str| text.parse::<u16>().ok().map(usize::from);
        match inside.split_once(',') {
            None => number(inside).map(|count| (count, Some(count))),
            Some((least, "")) => Some((number(least)?, None)),
            Some((least, most)) => Some((number(least)?, Some(number(most)?))),
        }
    }

    /// Parses what follows `(`. `(?i)`, which applies to the rest of the group around it, is empty.
    fn group(&mut self) -> Option<Node> {
        if self.depth == DEPTH || self.peek() == Some(b'*') {
            return None;
        }
        let before = self.case;
        let mut wrap: fn(Node) -> Node = |node| node;
        if self.skip("?") {
            if self.skip("=") {
                wrap = |node| Node::Ahead(Box::new(node));
            } else if self.skip("!") {
                wrap = |node| Node::NotAhead(Box::new(node));
            } else if self.skip("P<") || self.is_named_group() {
                self.skip_group_name()?;
            } else if !self.skip(":") {
                self.case = self.flags()?;
                if self.skip(")") {
                    return Some(Node::Sequence(Vec::new()));
                }
                if !self.skip(":") {
                    return None;
                }
            }
        }
        self.depth += 1;
        let node = self.alternatives()?;
        self.depth -= 1;
        self.case = before;
        self.skip(")").then(|| wrap(node))
    }

    /// Skips `<` or `'` of a named group; `(?<=` and `(?<!` look behind.
    fn is_named_group(&mut self) -> bool {
        let behind = matches!(self.text.get(self.at + 1), Some(b'=' | b'!'));
        !behind && (self.skip("<") || self.skip("'"))
    }

    fn skip_group_name(&mut self) -> Option<()> {
        while self.peek().is_some_and(is_word_byte) {
            self.at += 1;
        }
        matches!(self.next()?, b'>' | b'\'').then_some(())
    }

    /// Parses `i`, `-i`, and flags that change nothing for a host: `m`, `s` (line breaks), `U` (lazy).
    fn flags(&mut self) -> Option<LetterCase> {
        let mut case = self.case;
        let mut set = LetterCase::Ignored;
        loop {
            match self.peek()? {
                b'i' => case = set,
                b'm' | b's' | b'U' => {}
                b'-' => set = LetterCase::Matters,
                b')' | b':' => return Some(case),
                _ => return None,
            }
            self.at += 1;
        }
    }

    /// Parses what follows a backslash.
    fn escape(&mut self) -> Option<Node> {
        let byte = self.next()?;
        Some(match byte {
            b'A' => Node::At(Anchor::Start),
            b'z' | b'Z' => Node::At(Anchor::End),
            b'b' => Node::At(Anchor::WordBoundary),
            b'B' => Node::At(Anchor::NoWordBoundary),
            byte => Node::Set(self.escaped_set(byte)?),
        })
    }

    /// The bytes that an escape stands for, inside and outside of a class.
    fn escaped_set(&mut self, byte: u8) -> Option<ByteSet> {
        if let Some(set) = named_set(byte) {
            return Some(set);
        }
        let literal = match byte {
            b'x' => self.hexadecimal()?,
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            byte if byte.is_ascii_alphanumeric() => return None,
            byte => byte,
        };
        Some(self.folded(ByteSet::of(literal)))
    }

    fn hexadecimal(&mut self) -> Option<u8> {
        let digits = self.text.get(self.at..self.at + 2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        self.at += 2;
        u8::from_str_radix(digits, 16).ok()
    }

    /// Parses what follows `[`, up to its `]`.
    fn class(&mut self) -> Option<ByteSet> {
        let is_negated = self.skip("^");
        let mut set = ByteSet::default();
        let mut is_first = true;
        loop {
            let member = match self.next()? {
                b']' if !is_first => break,
                b'[' if matches!(self.peek(), Some(b':')) => self.posix_class()?,
                b'[' if matches!(self.peek(), Some(b'.' | b'=')) => return None,
                b'\\' => self.class_escape()?,
                byte => ClassMember::Byte(byte),
            };
            is_first = false;
            let member = match member {
                ClassMember::Byte(first) => self.range_from(first)?,
                ClassMember::Bytes(set) => set,
            };
            set = set.union(self.folded(member));
        }
        Some(if is_negated { set.complement() } else { set })
    }

    fn class_escape(&mut self) -> Option<ClassMember> {
        match self.next()? {
            b'x' => self.hexadecimal().map(ClassMember::Byte),
            byte if byte.is_ascii_alphanumeric() => self.escaped_set(byte).map(ClassMember::Bytes),
            byte => Some(ClassMember::Byte(byte)),
        }
    }

    /// The bytes from `first` to the end of a range, or `first` alone.
    fn range_from(&mut self, first: u8) -> Option<ByteSet> {
        let after = self.text.get(self.at + 1);
        let is_range = self.peek() == Some(b'-') && after.is_some_and(|&byte| byte != b']');
        if !is_range {
            return Some(ByteSet::of(first));
        }
        self.at += 1;
        let last = match self.next()? {
            b'\\' => match self.class_escape()? {
                ClassMember::Byte(last) => last,
                ClassMember::Bytes(_) => return None,
            },
            b'[' => return None,
            last => last,
        };
        let mut set = ByteSet::default();
        (first..=last).for_each(|byte| set.insert(byte));
        (first <= last).then_some(set)
    }

    /// Parses `:alpha:]`, which follows a `[` inside of a class.
    fn posix_class(&mut self) -> Option<ClassMember> {
        self.skip(":");
        let is_negated = self.skip("^");
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_lowercase()) {
            self.at += 1;
        }
        let is_member: fn(u8) -> bool = match &self.text[start..self.at] {
            b"alpha" => |byte| byte.is_ascii_alphabetic(),
            b"digit" => |byte| byte.is_ascii_digit(),
            b"alnum" => |byte| byte.is_ascii_alphanumeric(),
            b"lower" => |byte| byte.is_ascii_lowercase(),
            b"upper" => |byte| byte.is_ascii_uppercase(),
            b"xdigit" => |byte| byte.is_ascii_hexdigit(),
            b"punct" => |byte| byte.is_ascii_punctuation(),
            b"word" => is_word_byte,
            _ => return None,
        };
        let set = set_of(is_member);
        let set = if is_negated { set.complement() } else { set };
        self.skip(":]").then_some(ClassMember::Bytes(set))
    }

    /// Adds the other case of each letter where the case is ignored.
    fn folded(&self, set: ByteSet) -> ByteSet {
        match self.case {
            LetterCase::Matters => set,
            LetterCase::Ignored => set_of(|byte| {
                set.contains(byte.to_ascii_lowercase())
                    || set.contains(byte.to_ascii_uppercase())
                    || set.contains(byte)
            }),
        }
    }
}

/// An element of a class.
enum ClassMember {
    /// A byte, which may start a range.
    Byte(u8),
    /// A class by name.
    Bytes(ByteSet),
}

/// The set that `\d`, `\w` or `\s` stands for, or its complement for the upper-case letter.
fn named_set(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => set_of(|byte| byte.is_ascii_digit()),
        b'w' => set_of(is_word_byte),
        b's' => set_of(|byte| matches!(byte, b' ' | b'\t'..=b'\r')),
        b'h' => set_of(|byte| matches!(byte, b' ' | b'\t' | 0xa0)),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() {
        set.complement()
    } else {
        set
    })
}

fn set_of(is_member: impl Fn(u8) -> bool) -> ByteSet {
    let mut set = ByteSet::default();
    for byte in (0..=u8::MAX).filter(|&byte| is_member(byte)) {
        set.insert(byte);
    }
    set
}
