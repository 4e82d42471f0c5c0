//! Writes the most common question and reads its most common answer, octet by octet: a name of
//! plain labels, and a message with a single alias. All other messages are left to
//! `hickory-proto`.
//!
//! Serves the target for `dcv-check --batch` (20,000 records, benches/README.md) and is used only
//! through `bulk_client`. It saves the parsing and writing of whole messages, with an allocation
//! for each name and record in them.

use crate::dcv::answer::RecordKind;

/// The offset of the question's name: after the header (RFC 1035 section 4.1.1).
const HEADER: usize = 12;
/// A pointer to that name: the owner of the answer (section 4.1.4).
const OWNER: [u8; 2] = [0xc0, 0x0c];
const CNAME: u16 = 5;
const IN: [u8; 2] = [0, 1];

/// Returns a question with recursion desired (RD); `None` for an invalid name, or for labels with
/// characters that need an escape.
pub(super) fn write_question(id: u16, name: &str, kind: RecordKind) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEADER + name.len() + 6);
    bytes.extend(id.to_be_bytes());
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..64).contains(length))?;
        if !label.bytes().all(is_plain) {
            return None;
        }
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    let kind: u16 = match kind {
        RecordKind::Cname => CNAME,
        RecordKind::Txt => 16,
        _ => return None,
    };
    bytes.extend(kind.to_be_bytes());
    bytes.extend(IN);
    (name.len() <= 253).then_some(bytes)
}

/// Returns whether `bytes` answer `question`: a response with the same id and the same question,
/// regardless of case. Only an error may omit the question.
pub(super) fn is_answer_to(question: &[u8], bytes: &[u8]) -> bool {
    let (Some(head), Some(body)) = (bytes.get(..HEADER), question.get(HEADER..)) else {
        return false;
    };
    let response = head[2] & 0x80 != 0;
    let bare_error = head[4..6] == [0, 0] && head[3] & 0x0f != 0;
    if head.get(..2) != question.get(..2) || !response {
        return false;
    }
    if bare_error {
        return true;
    }
    let Some(repeated) = bytes.get(HEADER..question.len()) else {
        return false;
    };
    // The comparison as octets is much faster, and nearly always sufficient.
    let is_repeated = repeated == body || repeated.eq_ignore_ascii_case(body);
    head[4..6] == [0, 1] && is_repeated
}

/// Returns the target of the alias and its TTL in the answer to a question of that length, if the
/// answer is not an error, is not truncated, and has only that record.
pub(super) fn read_alias(question: usize, bytes: &[u8]) -> Option<(String, u32)> {
    let cut_short = bytes.get(2)? & 0b10 != 0;
    let failed = bytes.get(3)? & 0b1111 != 0;
    if cut_short || failed || bytes.get(6..HEADER)? != [0, 1, 0, 0, 0, 0] {
        return None;
    }
    let record = bytes.get(question..)?;
    let (fixed, rest) = record.split_first_chunk::<12>()?;
    let [
        owner0,
        owner1,
        kind0,
        kind1,
        class0,
        class1,
        ttl @ ..,
        length0,
        length1,
    ] = *fixed;
    let head = (
        [owner0, owner1],
        u16::from_be_bytes([kind0, kind1]),
        [class0, class1],
    );
    if head != (OWNER, CNAME, IN) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([length0, length1]));
    if rest.len() != length {
        return None;
    }
    let target = read_name(bytes, question + fixed.len(), length)?;
    Some((target, u32::from_be_bytes(ttl)))
}

/// Returns the name at `at` in `left` octets, without its final dot. Pointers must point backwards,
/// as they do in every compressed message, so that the loop ends.
fn read_name(bytes: &[u8], mut at: usize, mut left: usize) -> Option<String> {
    let mut text = Vec::with_capacity(left);
    loop {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => {
                let is_whole = left == 1 && !text.is_empty();
                return String::from_utf8(text).ok().filter(|_| is_whole);
            }
            1..64 => {
                let label = bytes
                    .get(at + 1..at + 1 + length)
                    .filter(|label| label.iter().copied().all(is_plain))?;
                if !text.is_empty() {
                    text.push(b'.');
                }
                text.extend_from_slice(label);
                at += 1 + length;
                left = left.checked_sub(1 + length)?;
            }
            0xc0.. => {
                let to = (length & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?);
                if left != 2 || !(HEADER..at).contains(&to) {
                    return None;
                }
                at = to;
                left = name_length(bytes, to)?;
            }
            _ => return None,
        }
        if text.len() > 253 {
            return None;
        }
    }
}

/// Returns how many octets the name at `at` takes, including a pointer at its end.
fn name_length(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        match *bytes.get(end)? {
            0 => return Some(end + 1 - at),
            length @ 1..64 => end += 1 + usize::from(length),
            0xc0.. => return Some(end + 2 - at),
            _ => return None,
        }
    }
}

/// Returns whether an octet needs no escape in a name's text: letters, digits, hyphens,
/// underscores.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{Name, RData, Record, RecordType};

    use super::{is_answer_to, read_alias, write_question};
    use crate::dcv::answer::RecordKind;

    const NAME: &str = "_0f70760eec50df67.www.example.com";

    fn sample_question() -> Vec<u8> {
        write_question(0x1234, NAME, RecordKind::Cname).unwrap()
    }

    /// Returns the same question and an answer to it as hickory encodes them.
    fn message(target: &str) -> Message {
        let name = Name::from_ascii(format!("{NAME}.")).unwrap();
        let mut message = Message::query();
        message.metadata.id = 0x1234;
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(name.clone(), RecordType::CNAME));
        if !target.is_empty() {
            message.metadata.message_type = MessageType::Response;
            let target = CNAME(Name::from_ascii(target).unwrap());
            message.add_answer(Record::from_rdata(name, 77, RData::CNAME(target)));
        }
        message
    }

    #[test]
    fn the_question_equals_that_of_hickory() {
        assert_eq!(sample_question(), message("").to_vec().unwrap());
        let long = ["a.".repeat(126).as_str(), "abc"].concat();
        for bad in [
            "",
            "a..b",
            ".a",
            "a.",
            "a b",
            "a\\.b",
            "b\u{fc}cher.example",
            &"a".repeat(64),
            &long,
        ] {
            assert_eq!(write_question(1, bad, RecordKind::Txt), None, "{bad}");
        }
        assert!(write_question(1, &"a".repeat(63), RecordKind::Txt).is_some());
        assert_eq!(write_question(1, "a", RecordKind::Mx), None);
    }

    #[test]
    fn the_alias_equals_that_of_hickory() {
        for target in [
            "x.y.comodoca.com.",
            "X.Example.com.",
            "example.com.",
            "www.example.com.",
            "a-b.c_d.test.",
        ] {
            let bytes = message(target).to_vec().unwrap();
            assert!(is_answer_to(&sample_question(), &bytes));
            let wanted = Some((target.trim_end_matches('.').to_owned(), 77));
            assert_eq!(
                read_alias(sample_question().len(), &bytes),
                wanted,
                "{target}"
            );
        }
    }

    #[test]
    fn messages_with_more_or_less_than_an_alias_are_not_read() {
        let mut failed = message("x.test.");
        failed.metadata.response_code = ResponseCode::NXDomain;
        let mut cut = message("x.test.");
        cut.metadata.truncation = true;
        let mut two = message("x.test.");
        two.add_answer(two.answers[0].clone());
        let mut beside = message("x.test.");
        beside.add_authority(beside.answers[0].clone());
        for other in [
            failed,
            cut,
            two,
            beside,
            message("a\\.b.test."),
            message(""),
        ] {
            assert_eq!(
                read_alias(sample_question().len(), &other.to_vec().unwrap()),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn another_question_or_id_is_not_an_answer() {
        let right = message("x.test.").to_vec().unwrap();
        let mut upper = right.clone();
        upper[13..20].make_ascii_uppercase();
        assert!(
            is_answer_to(&sample_question(), &upper),
            "case does not count"
        );
        // In turn: id, response flag, number of questions, a letter of the name, type, class.
        for at in [
            0,
            1,
            2,
            5,
            14,
            sample_question().len() - 3,
            sample_question().len() - 1,
        ] {
            let mut wrong = right.clone();
            wrong[at] ^= 0x82;
            assert!(!is_answer_to(&sample_question(), &wrong), "{at}");
        }
        for length in 0..sample_question().len() {
            assert!(!is_answer_to(&sample_question(), &right[..length]));
        }
        let refused = [0x12, 0x34, 0x81, 5, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(
            is_answer_to(&sample_question(), &refused),
            "an error may omit the question"
        );
    }

    #[test]
    fn malformed_names_are_rejected() {
        let right = message("x.y.example.com.").to_vec().unwrap();
        let at = sample_question().len() + 12;
        for bytes in [
            vec![0xc0, 0xff],
            vec![1, b'x', 0xc0, u8::try_from(at).unwrap()],
            vec![0xc0, 0],
            vec![0x40, 0],
            vec![9],
        ] {
            let mut lie = right[..at].to_vec();
            lie[at - 1] = u8::try_from(bytes.len()).unwrap();
            lie.extend(bytes);
            assert_eq!(read_alias(sample_question().len(), &lie), None);
        }
        for at in 0..right.len() {
            for octet in [0, 1, 0x3f, 0x40, 0xc0, 0xff] {
                let mut lie = right.clone();
                lie[at] = octet;
                let _ = read_alias(sample_question().len(), &lie);
                let _ = read_alias(sample_question().len(), &lie[..at]);
            }
        }
    }
}
