//! How the dates of a certificate are written.

use jiff::civil::Date;

use super::breach::{Breach, breach};
use super::chain_link::ChainLink;
use super::table;
use crate::pki::der::DerElement;

/// RFC 5280 4.1.2.5: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
pub(super) fn check_dates(link: &ChainLink<'_>) -> Option<Breach> {
    let is_malformed = link.fields.dates.iter().any(|date| !is_date(date));
    is_malformed.then_some(())?;
    breach(
        &table::MALFORMED_DATE,
        "one of its dates is not written as YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, or does not exist",
    )
}

fn is_date(date: &DerElement<'_>) -> bool {
    let digits = match date.tag {
        0x17 => 12,
        0x18 => 14,
        _ => return false,
    };
    let Some((b'Z', text)) = date.value.split_last() else {
        return false;
    };
    if text.len() != digits || !text.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let numbers: Vec<i8> = text
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.parse().ok())
        .collect();
    let [years @ .., month, day, hour, minute, second] = numbers.as_slice() else {
        return false;
    };
    let year = match years {
        [short] if *short >= 50 => 1900 + i16::from(*short),
        [short] => 2000 + i16::from(*short),
        [high, low] => i16::from(*high) * 100 + i16::from(*low),
        _ => return false,
    };
    let is_time = *hour < 24 && *minute < 60 && *second < 60;
    is_time && Date::new(year, *month, *day).is_ok()
}
