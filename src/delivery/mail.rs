//! Splits a saved email (RFC 5322, MIME of RFC 2045 to 2049) into its parts. The text of the email
//! may have blocks like any text, and is not reported if it has none.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use zeroize::Zeroizing;

/// One part of an email.
pub(super) struct MailPart {
    /// The name of the attachment, else its kind and number; untrusted text.
    pub name: String,
    pub kind: MailPartKind,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The role of a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MailPartKind {
    Attachment,
    /// The plain text of the email.
    PlainText,
    /// The HTML text of the email: read only if nothing else had any content.
    Html,
    /// The signature of the email or its wrapping (S/MIME), which has the certificates of the
    /// sender, not those of a server.
    Signature,
}

/// Header fields that only an email has, and other usual header fields of an email.
const MAIL_FIELDS: [&str; 9] = [
    "content-type",
    "delivered-to",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "x-mozilla-status",
];
const OTHER_FIELDS: [&str; 6] = [
    "cc",
    "content-transfer-encoding",
    "date",
    "reply-to",
    "subject",
    "to",
];

/// Returns whether `bytes` start like an email: with two of these header fields, one of which
/// occurs only in emails.
pub(super) fn is_mail(bytes: &[u8]) -> bool {
    const LINES: usize = 300;
    let mut mail_fields = 0;
    let mut other_fields = 0;
    for (number, line) in without_envelope(bytes)
        .split(|&byte| byte == b'\n')
        .take(LINES)
        .enumerate()
    {
        let line = line.trim_ascii_end();
        if line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
            && number > 0
        {
            continue;
        }
        let Some(name) = header_field(line) else {
            break;
        };
        mail_fields += usize::from(MAIL_FIELDS.contains(&name.as_str()));
        other_fields += usize::from(OTHER_FIELDS.contains(&name.as_str()));
    }
    mail_fields > 0 && mail_fields + other_fields > 1
}

/// Removes the `From ` line that mailboxes put before each mail, and a byte order mark.
fn without_envelope(bytes: &[u8]) -> &[u8] {
    let bytes = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    if bytes.starts_with(b"From ") {
        bytes[line..].trim_ascii_start()
    } else {
        bytes
    }
}

/// The name of the header field that starts on a line, in lower case.
fn header_field(line: &[u8]) -> Option<String> {
    let colon = line.iter().take(80).position(|&byte| byte == b':')?;
    let name = &line[..colon];
    let plain = name
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_');
    (colon > 0 && plain).then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// Returns whether it has so few parts, nested emails and header fields that parsing it takes no
/// more memory than the email itself.
pub(super) fn is_bounded(bytes: &[u8], parts: usize) -> bool {
    const FIELDS: usize = 20_000;
    const NESTED: usize = 50;
    const LONGEST: usize = 64 * 1024;
    let mut separators = 0;
    let mut fields = 0;
    let mut nested = 0;
    // The length of the header field that the line belongs to, with its continuation lines.
    let mut length = 0;
    for line in bytes.split(|&byte| byte == b'\n') {
        separators += usize::from(line.starts_with(b"--") && !line.starts_with(b"-----"));
        let name = header_field(line);
        let is_continuation = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        length = if name.is_some() {
            line.len()
        } else {
            length + line.len() * usize::from(is_continuation && length > 0)
        };
        length *= usize::from(name.is_some() || is_continuation);
        fields += usize::from(name.is_some());
        let short = &line[..line.len().min(LONGEST)];
        nested += usize::from(
            length > 0
                && short
                    .windows(8)
                    .any(|part| part.eq_ignore_ascii_case(b"message/")),
        );
        if separators > parts || fields > FIELDS || nested > NESTED || length > LONGEST {
            return false;
        }
    }
    true
}

/// Splits an email into its parts, including those of forwarded emails; `None` if it is not an
/// email.
pub(super) fn split_parts(bytes: &[u8]) -> Option<Vec<MailPart>> {
    let parser = MessageParser::new().with_mime_headers();
    let message = parser.parse(without_envelope(bytes))?;
    let mut found = Vec::new();
    collect_parts(&message, "", 0, &mut found);
    // The HTML body comes last: it repeats the plain text.
    found.sort_by_key(|part| part.kind == MailPartKind::Html);
    Some(found)
}

/// Appends the parts of `message` to `found`; `prefix` names the emails that contain it, `depth`
/// counts them.
fn collect_parts(message: &Message<'_>, prefix: &str, depth: usize, found: &mut Vec<MailPart>) {
    const DEPTH: usize = 8;
    for (number, part) in message.parts.iter().enumerate() {
        match &part.body {
            PartType::Message(inner) if depth < DEPTH => {
                let prefix = format!("{prefix}mail {number} > ");
                collect_parts(inner, &prefix, depth + 1, found);
            }
            _ => found.extend(read_part(part, number, prefix)),
        }
    }
}

/// A part with content of its own; `None` for one that only contains others.
fn read_part(part: &MessagePart<'_>, number: usize, prefix: &str) -> Option<MailPart> {
    let (bytes, body_kind, default_name): (&[u8], MailPartKind, &str) = match &part.body {
        PartType::Text(text) => (text.as_bytes(), MailPartKind::PlainText, "text"),
        PartType::Html(text) => (text.as_bytes(), MailPartKind::Html, "page"),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            (bytes, MailPartKind::Attachment, "part")
        }
        PartType::Message(_) | PartType::Multipart(_) => return None,
    };
    let attachment = part.attachment_name();
    let name = match attachment {
        Some(attachment) => format!("{prefix}{attachment}"),
        None => format!("{prefix}{default_name} {number}"),
    };
    let kind = if is_signature(part) {
        MailPartKind::Signature
    } else if attachment.is_some() {
        MailPartKind::Attachment
    } else {
        body_kind
    };
    Some(MailPart {
        name,
        kind,
        bytes: Zeroizing::new(bytes.to_vec()),
    })
}

/// Returns whether a part is an S/MIME signature or wrapping (RFC 8551 3.2 and 3.5).
fn is_signature(part: &MessagePart<'_>) -> bool {
    let has_signature_name = part
        .attachment_name()
        .is_some_and(|name| matches!(name, "smime.p7s" | "smime.p7m"));
    let subtype = part
        .content_type()
        .and_then(|content_type| content_type.subtype())
        .unwrap_or_default()
        .to_ascii_lowercase();
    has_signature_name || subtype.ends_with("pkcs7-signature")
}

#[cfg(test)]
mod tests {
    use super::{MailPartKind, is_bounded, is_mail, split_parts};

    #[test]
    fn a_mail_is_detected_by_its_header() {
        for (text, mail) in [
            ("From: a@example.com\nTo: b@example.com\n\nhello", true),
            (
                "From x Mon Nov 23\nReceived: by x\n\tfor y\nSubject: z\n\n",
                true,
            ),
            (
                "Subject: CN=x\nIssuer: CN=y\n\n-----BEGIN CERTIFICATE-----",
                false,
            ),
            ("Dear customer: hello\nFrom: me", false),
            ("", false),
        ] {
            assert_eq!(is_mail(text.as_bytes()), mail, "{text}");
        }
    }

    #[test]
    fn every_part_is_found() {
        let mail = "From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
            --b\nContent-Type: text/html\n\n<b>page</b>\n\
            --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n\
            --b\nContent-Type: application/zip; name=\"x.zip\"\nContent-Transfer-Encoding: base64\n\nUEsD\n\
            --b\nContent-Type: message/rfc822\n\nFrom: c@example.com\nContent-Type: text/plain; name=y.crt\n\nin it\n\
            --b\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMIIB\n--b--\n";
        let found = split_parts(mail.as_bytes()).unwrap();
        let gist: Vec<_> = found
            .iter()
            .map(|part| (part.name.as_str(), part.kind, part.bytes.len()))
            .collect();
        assert_eq!(
            gist,
            [
                ("text 2", MailPartKind::PlainText, 4),
                ("x.zip", MailPartKind::Attachment, 3),
                ("mail 4 > y.crt", MailPartKind::Attachment, 5),
                ("part 5", MailPartKind::Signature, 3),
                ("page 1", MailPartKind::Html, 11),
            ]
        );
    }

    #[test]
    fn mails_that_would_take_much_memory_are_rejected() {
        let head = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n";
        assert!(is_bounded(
            format!("{head}{}", "--b\n\n".repeat(9)).as_bytes(),
            10
        ));
        for bomb in [
            "--b\n\n".repeat(11),
            "Content-Type: message/rfc822\n\n".repeat(60),
            "A: b\n".repeat(30_000),
            format!("Content-Type: text/plain;{}", " a=b;".repeat(20_000)),
            format!("Content-Type: text/plain;{}", "\n a=b;".repeat(20_000)),
        ] {
            assert!(
                !is_bounded(format!("{head}{bomb}").as_bytes(), 10),
                "{}",
                &bomb[..30]
            );
        }
    }
}
