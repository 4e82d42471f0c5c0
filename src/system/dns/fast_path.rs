//! The commonest question and its commonest answer, octet by octet: a name of plain labels, and the
//! one alias that is there. Whatever else comes is for the reader of whole messages.

use crate::dcv::answer::RecordKind;

/// Where the name of the question begins, behind the header (RFC 1035 4.1.1).
const HEADER: usize = 12;
/// A pointer to it: the owner of the answer (4.1.4).
const OWNER: [u8; 2] = [0xc0, 0x0c];
const CNAME: u16 = 5;
const IN: [u8; 2] = [0, 1];

/// A question that a resolver is to go after (RD); `None` for a name that is none, or none of plain
/// labels.
pub(super) fn question(id: u16, name: &str, kind: RecordKind) -> Option<Vec<u8>> {
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

/// Whether `bytes` answer `question`: a response with the same id and the same question, whatever
/// its letters' case. Only an error may leave the question out.
pub(super) fn answers(question: &[u8], bytes: &[u8]) -> bool {
    let (Some(head), Some(asked)) = (bytes.get(..HEADER), question.get(HEADER..)) else {
        return false;
    };
    let response = head[2] & 0x80 != 0;
    let bare_error = head[4..6] == [0, 0] && head[3] & 0x0f != 0;
    let again = || {
        bytes
            .get(HEADER..question.len())
            .is_some_and(|again| again.eq_ignore_ascii_case(asked))
    };
    head.get(..2) == question.get(..2)
        && response
        && (bare_error || (head[4..6] == [0, 1] && again()))
}

/// The target of the alias and its TTL in the answer to a question of that length, where that is
/// all that the answer says: no error, not cut short, and one record.
pub(super) fn alias(question: usize, bytes: &[u8]) -> Option<(String, u32)> {
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
    (rest.len() == length).then_some(())?;
    Some((
        name(bytes, question + fixed.len(), length)?,
        u32::from_be_bytes(ttl),
    ))
}

/// The name that stands at `at` in so many octets, without its final dot. Pointers go back, as they
/// do in messages that somebody's compression made, so that there is an end to them.
fn name(bytes: &[u8], mut at: usize, mut left: usize) -> Option<String> {
    let mut text = Vec::with_capacity(left);
    loop {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => {
                return (left == 1 && !text.is_empty())
                    .then(|| String::from_utf8(text).ok())
                    .flatten();
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
                (left == 2 && (HEADER..at).contains(&to)).then_some(())?;
                (at, left) = (to, plain_name(bytes, to)?);
            }
            _ => return None,
        }
        (text.len() <= 253).then_some(())?;
    }
}

/// How many octets the name at `at` takes, the pointer at its end included.
fn plain_name(bytes: &[u8], at: usize) -> Option<usize> {
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

/// Letters, digits, hyphens, underscores: what stands for itself in a name's text.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{Name, RData, Record, RecordType};

    use super::{alias, answers, question};
    use crate::dcv::answer::RecordKind;

    const NAME: &str = "_0f70760eec50df67.www.example.com";

    fn asked() -> Vec<u8> {
        question(0x1234, NAME, RecordKind::Cname).unwrap()
    }

    /// What hickory makes of the same question and an answer to it.
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
    fn the_question_is_what_others_write() {
        assert_eq!(asked(), message("").to_vec().unwrap());
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
            assert_eq!(question(1, bad, RecordKind::Txt), None, "{bad}");
        }
        assert!(question(1, &"a".repeat(63), RecordKind::Txt).is_some());
        assert_eq!(question(1, "a", RecordKind::Mx), None);
    }

    #[test]
    fn the_alias_is_what_others_read() {
        for target in [
            "x.y.comodoca.com.",
            "X.Example.com.",
            "example.com.",
            "www.example.com.",
            "a-b.c_d.test.",
        ] {
            let bytes = message(target).to_vec().unwrap();
            assert!(answers(&asked(), &bytes));
            let wanted = Some((target.trim_end_matches('.').to_owned(), 77));
            assert_eq!(alias(asked().len(), &bytes), wanted, "{target}");
        }
    }

    #[test]
    fn what_says_more_or_less_is_left_to_the_reader_of_messages() {
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
                alias(asked().len(), &other.to_vec().unwrap()),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn another_question_or_id_is_no_answer() {
        let right = message("x.test.").to_vec().unwrap();
        let mut upper = right.clone();
        upper[13..20].make_ascii_uppercase();
        assert!(answers(&asked(), &upper), "case does not count");
        // Id, response, number of questions, a letter of the name, the type, the class.
        for at in [0, 1, 2, 5, 14, asked().len() - 3, asked().len() - 1] {
            let mut wrong = right.clone();
            wrong[at] ^= 0x82;
            assert!(!answers(&asked(), &wrong), "{at}");
        }
        for length in 0..asked().len() {
            assert!(!answers(&asked(), &right[..length]));
        }
        let refused = [0x12, 0x34, 0x81, 5, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(
            answers(&asked(), &refused),
            "an error may leave the question out"
        );
    }

    #[test]
    fn no_octets_make_it_go_on_or_beyond() {
        let right = message("x.y.example.com.").to_vec().unwrap();
        let at = asked().len() + 12;
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
            assert_eq!(alias(asked().len(), &lie), None);
        }
        for at in 0..right.len() {
            for octet in [0, 1, 0x3f, 0x40, 0xc0, 0xff] {
                let mut lie = right.clone();
                lie[at] = octet;
                let _ = alias(asked().len(), &lie);
                let _ = alias(asked().len(), &lie[..at]);
            }
        }
    }
}
