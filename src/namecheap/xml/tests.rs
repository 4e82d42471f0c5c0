//! Tests of the module above.

use super::{XmlError, parse};

#[test]
fn attributes_text_and_cdata_are_read() {
    let text = "\u{feff}<?xml version=\"1.0\"?><!-- x --><a:R S='OK' t=\"1 &lt; 2\"><B/>\
        <c> x &amp; &#65;&#x42; &odd </c><D><![CDATA[ <&> ]]></D></a:R>";
    let root = parse(text).unwrap();
    assert_eq!(root.name, "R");
    assert_eq!(root.attribute("s"), Some("OK"));
    assert_eq!(root.attribute("T"), Some("1 < 2"));
    assert_eq!(root.attribute("u"), None);
    assert_eq!(root.find("C").unwrap().text, "x & AB &odd");
    assert_eq!(root.find("d").unwrap().text, "<&>");
    assert!(root.find("b").unwrap().children.is_empty());
}

#[test]
fn faults_that_do_not_matter_are_tolerated() {
    for text in [
        // The sample of ssl.getInfo.
        "<R><I OrderId=\"10439081\"ReplacedBy=\"747253\"/></R>",
        // An element that is not closed, and an end without a beginning.
        "<R><I ReplacedBy='747253'><x></R>",
        "<R></y><I ReplacedBy = '747253'></I></R>\n",
        "<R><i replacedby='747253'></I></r>",
    ] {
        let root = parse(text).unwrap();
        let replaced = root.find("I").unwrap().attribute("ReplacedBy");
        assert_eq!(replaced, Some("747253"), "{text}");
    }
}

#[test]
fn what_is_not_whole_is_refused() {
    for (text, error) in [
        ("", XmlError::Malformed),
        ("busy", XmlError::Malformed),
        ("< R/>", XmlError::Malformed),
        ("<R x/>", XmlError::Malformed),
        ("<R x=1/>", XmlError::Malformed),
        ("<R><I a='1'/>", XmlError::Truncated),
        ("<R", XmlError::Truncated),
        ("<R x='", XmlError::Truncated),
        ("<R><![CDATA[ x</R>", XmlError::Truncated),
        ("<R></R", XmlError::Truncated),
        (&"<a>".repeat(100), XmlError::TooLarge),
        (
            &format!("<a>{}</a>", "<b/>".repeat(30_000)),
            XmlError::TooLarge,
        ),
    ] {
        assert_eq!(parse(text), Err(error), "{}", &text[..text.len().min(40)]);
    }
}

#[test]
fn mutated_documents_never_panic() {
    let text = "<R a=\"1\" b='2'><c>x &amp; &#65;</c><![CDATA[y]]><!--z--><d/></R>é";
    let characters: Vec<char> = text.chars().collect();
    for at in 0..characters.len() {
        for replacement in ['<', '>', '"', '&', '/', ';', ']', 'é', ' '] {
            let mut changed = characters.clone();
            changed[at] = replacement;
            let _ = parse(&changed.iter().collect::<String>());
        }
        let _ = parse(&characters[..at].iter().collect::<String>());
    }
}
