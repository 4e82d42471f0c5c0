//! Elements of BER as OpenSSL reads them (`ASN1_get_object`): lengths of any form, and of constructed
//! elements also the indefinite one.

/// The class of a tag (X.690 8.1.2.2), as its bits in the first octet.
pub(super) const UNIVERSAL: u8 = 0x00;
pub(super) const CONTEXT: u8 = 0x80;

/// A tag with its class.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ElementTag {
    pub class: u8,
    pub number: u32,
}

impl ElementTag {
    pub(super) const fn universal(number: u32) -> Self {
        Self {
            class: UNIVERSAL,
            number,
        }
    }

    pub(super) const fn context(number: u32) -> Self {
        Self {
            class: CONTEXT,
            number,
        }
    }
}

/// How far an element reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ElementLength {
    Definite(usize),
    /// Up to an end-of-contents element.
    Indefinite,
}

/// The octets in front of the content of an element.
#[derive(Clone, Copy, Debug)]
pub(super) struct ElementHeader {
    pub tag: ElementTag,
    pub is_constructed: bool,
    pub length: ElementLength,
}

/// An element that OpenSSL refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct EncodingFault;

/// Reads the header at the start of `input`, and moves `input` to the content.
pub(super) fn read_header(input: &mut &[u8]) -> Result<ElementHeader, EncodingFault> {
    let mut rest = *input;
    let first = take_octet(&mut rest)?;
    let mut number = u32::from(first & 0x1f);
    if number == 0x1f {
        number = read_high_tag(&mut rest)?;
    }
    let is_constructed = first & 0x20 != 0;
    let length = read_length(&mut rest)?;
    match length {
        ElementLength::Indefinite if !is_constructed => return Err(EncodingFault),
        ElementLength::Definite(length) if length > rest.len() => return Err(EncodingFault),
        _ => {}
    }
    *input = rest;
    Ok(ElementHeader {
        tag: ElementTag {
            class: first & 0xc0,
            number,
        },
        is_constructed,
        length,
    })
}

fn take_octet(input: &mut &[u8]) -> Result<u8, EncodingFault> {
    let (&octet, rest) = input.split_first().ok_or(EncodingFault)?;
    *input = rest;
    Ok(octet)
}

fn read_high_tag(input: &mut &[u8]) -> Result<u32, EncodingFault> {
    const LARGEST: u32 = i32::MAX.unsigned_abs() >> 7;
    let mut number = 0;
    loop {
        let octet = take_octet(input)?;
        number = (number << 7) | u32::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Ok(number);
        }
        if number > LARGEST {
            return Err(EncodingFault);
        }
    }
}

fn read_length(input: &mut &[u8]) -> Result<ElementLength, EncodingFault> {
    let first = take_octet(input)?;
    if first == 0x80 {
        return Ok(ElementLength::Indefinite);
    }
    if first < 0x80 {
        return Ok(ElementLength::Definite(usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    // OpenSSL requires an octet after those of the length.
    if input.len() <= count {
        return Err(EncodingFault);
    }
    let (octets, rest) = input.split_at(count);
    *input = rest;
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    let octets = &octets[zeros..];
    if octets.len() > size_of::<u64>() {
        return Err(EncodingFault);
    }
    let length = octets
        .iter()
        .fold(0_u64, |sum, &octet| (sum << 8) | u64::from(octet));
    let length = usize::try_from(length).map_err(|_| EncodingFault)?;
    Ok(ElementLength::Definite(length))
}

/// Skips an end-of-contents element, and returns whether there was one.
pub(super) fn skip_end(input: &mut &[u8]) -> bool {
    match input {
        [0, 0, rest @ ..] => {
            *input = rest;
            true
        }
        _ => false,
    }
}

/// Skips the content of an element of any kind.
pub(super) fn skip_content(input: &mut &[u8], length: ElementLength) -> Result<(), EncodingFault> {
    if let ElementLength::Definite(length) = length {
        *input = &input[length..];
        return Ok(());
    }
    let mut open: usize = 1;
    while !input.is_empty() {
        if skip_end(input) {
            open -= 1;
            if open == 0 {
                return Ok(());
            }
            continue;
        }
        match read_header(input)?.length {
            ElementLength::Definite(length) => *input = &input[length..],
            ElementLength::Indefinite => open += 1,
        }
    }
    Err(EncodingFault)
}

/// How deeply the pieces of a string may be nested.
const STRING_DEPTH: usize = 5;

/// Collects the pieces of a constructed string.
pub(super) fn collect_string(
    input: &mut &[u8],
    length: ElementLength,
) -> Result<Vec<u8>, EncodingFault> {
    let mut collected = Vec::new();
    collect_pieces(input, length, 0, &mut collected)?;
    Ok(collected)
}

fn collect_pieces(
    input: &mut &[u8],
    length: ElementLength,
    depth: usize,
    collected: &mut Vec<u8>,
) -> Result<(), EncodingFault> {
    let (mut content, after) = match length {
        ElementLength::Definite(length) => input.split_at(length),
        ElementLength::Indefinite => (*input, &[][..]),
    };
    let is_open = length == ElementLength::Indefinite;
    while !content.is_empty() {
        if skip_end(&mut content) {
            if !is_open {
                return Err(EncodingFault);
            }
            *input = content;
            return Ok(());
        }
        let header = read_header(&mut content)?;
        match header.length {
            _ if header.is_constructed => {
                if depth >= STRING_DEPTH {
                    return Err(EncodingFault);
                }
                collect_pieces(&mut content, header.length, depth + 1, collected)?;
            }
            ElementLength::Definite(length) => {
                let (piece, rest) = content.split_at(length);
                collected.extend_from_slice(piece);
                content = rest;
            }
            ElementLength::Indefinite => return Err(EncodingFault),
        }
    }
    *input = after;
    if is_open { Err(EncodingFault) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{ElementLength, collect_string, read_header, skip_content};

    #[test]
    fn headers_are_read_in_every_form() {
        for (octets, length) in [
            (&[0x30, 0x80, 0, 0][..], Some(ElementLength::Indefinite)),
            (&[0x04, 0x80, 0, 0], None),
            (&[0x04, 1, 7], Some(ElementLength::Definite(1))),
            (&[0x04, 2, 7], None),
            (&[0x04, 0x83, 0, 0, 1, 7], Some(ElementLength::Definite(1))),
            (&[0x04, 0x81], None),
            (&[0x04, 0x81, 0], None),
            (&[0x1f, 0x81, 0x01, 0], Some(ElementLength::Definite(0))),
        ] {
            let mut input = octets;
            let found = read_header(&mut input).ok().map(|header| header.length);
            assert_eq!(found, length, "{octets:?}");
        }
    }

    #[test]
    fn indefinite_content_ends_at_its_own_end() {
        let mut input = &[0x30, 0x80, 4, 1, 7, 0, 0, 0, 0, 9][..];
        assert!(skip_content(&mut input, ElementLength::Indefinite).is_ok());
        assert_eq!(input, [9]);
        let mut input = &[4, 1, 7, 0x24, 0x80, 4, 1, 8, 0, 0, 0, 0, 9][..];
        let collected = collect_string(&mut input, ElementLength::Indefinite);
        assert_eq!((collected, input), (Ok(vec![7, 8]), &[9][..]));
    }
}
