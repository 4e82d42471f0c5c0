//! Validation records in the forms in which people copy them: from resellers' pages, mails, tables,
//! answers of APIs and consoles in several languages; and texts that must not be taken for one.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use certctl::facade::dcv::parse::parse;

/// The host and the value of the record in the texts: `H` and `V`.
const HOST: &str = "_47cba4dfbe697765f51230e84f04d091.example.com";
const VALUE: &str =
    "2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.69ff68dc5168c.sectigo.com";

/// Texts with exactly this record, by format.
const RECORDS: [(&str, &str); 62] = [
    ("zone line", "H. 3600 IN CNAME V."),
    ("zone line with CR LF", "H.\t3600\tIN\tCNAME\tV.\r\n"),
    (
        "zone line with a comment",
        "; order 17, from the mail\nH. CNAME V. ; until Friday",
    ),
    (
        "zone file with an origin",
        "$TTL 3600\nH. IN CNAME (\n V. )",
    ),
    ("two words", "H V"),
    ("columns of a spreadsheet", "Name\tType\tValue\nH\tCNAME\tV"),
    ("CSV", "name,type,ttl,value\nH,CNAME,3600,V"),
    (
        "CSV with quotes and semicolons",
        "\"name\";\"type\";\"value\"\n\"H\";\"CNAME\";\"V\"",
    ),
    (
        "ASCII table",
        "+------+-------+\n| Name | Value |\n+------+-------+\n| H | V |\n+------+-------+",
    ),
    (
        "Markdown table",
        "| Host | Type | Target |\n|:-----|:----:|-----:|\n| `H` | CNAME | `V` |",
    ),
    ("Markdown list", "- **Host**: `H`\n- **Value**: `V`"),
    (
        "Markdown emphasis",
        "Create **H** as an alias of **V**, please.",
    ),
    (
        "HTML table",
        "<table><tr><td>H</td><td>CNAME</td><td>V</td></tr></table>",
    ),
    (
        "HTML with attributes and references",
        "<p class=\"dcv\">Host:&nbsp;<b>H</b><br>\nPoints&nbsp;to:&nbsp;<b>V</b></p>",
    ),
    (
        "HTML code",
        "<div><code>H</code> &rarr; <code>V.</code></div>",
    ),
    (
        "mail, quoted",
        "> Please add this record:\n>   H\n> as CNAME to\n>   V\n> Regards",
    ),
    ("mail, quoted twice", ">> H CNAME\n>> V"),
    (
        "mail, quoted-printable",
        "Host: =\r\nH\r\nTarget: V=\r\n\r\n",
    ),
    (
        "mail, broken after a dot",
        "Host:   H\nTarget: 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.\n        69ff68dc5168c.sectigo.com",
    ),
    (
        "JSON of ZeroSSL",
        "{\"validation\":{\"other_methods\":{\"example.com\":{\"cname_validation_p1\":\"H\",\"cname_validation_p2\":\"V\"}}}}",
    ),
    (
        "JSON of an unknown API",
        "{\"dcv\":[{\"fqdn\":\"H\",\"rtype\":5,\"expected\":\"V\"}]}",
    ),
    (
        "JSON that is not complete",
        "\"fqdn\": \"H\",\n\"expected\": \"V\"",
    ),
    ("YAML", "record:\n  fqdn: H\n  points_at: V\n"),
    (
        "XML of Namecheap",
        "<ApiResponse><DNS domain=\"x\"><HostName><![CDATA[H]]></HostName><Target><![CDATA[V]]></Target></DNS></ApiResponse>",
    ),
    ("console in English", "Host:\nH\nPoints to:\nV\nTTL: 1 hour"),
    ("console in German", "Hostname: H\nTyp: CNAME\nZiel: V"),
    (
        "console in Turkish",
        "Ana bilgisayar ad\u{131}: H\nDe\u{11f}er: V",
    ),
    (
        "console in Polish",
        "Nazwa rekordu: H\nWarto\u{15b}\u{107}: V",
    ),
    (
        "console in Chinese",
        "\u{4e3b}\u{673a}\u{8bb0}\u{5f55}\u{ff1a}H\n\u{8bb0}\u{5f55}\u{503c}\u{ff1a}V",
    ),
    (
        "console in Korean",
        "\u{d638}\u{c2a4}\u{d2b8}: H\n\u{ac12}: V",
    ),
    (
        "invisible characters",
        "\u{feff}H\u{200b} CNAME V\u{2060}\u{ad}",
    ),
    (
        "typographic quotes",
        "\u{201c}H\u{201d} \u{2192} \u{201c}V\u{201d}",
    ),
    (
        "a letter",
        "Dear Ann, the CA asks for H (a CNAME record); its value is V. Thank you.",
    ),
    (
        "console in Japanese",
        "\u{30db}\u{30b9}\u{30c8}\u{540d}\u{ff1a}H\n\u{7a2e}\u{985e}\u{ff1a}CNAME\n\u{5024}\u{ff1a}V",
    ),
    (
        "table in Japanese",
        "\u{540d}\u{524d}\t\u{30bf}\u{30a4}\u{30d7}\t\u{5024}\tTTL\nH\tCNAME\tV\t300",
    ),
    (
        "console in Chinese with brackets",
        "\u{4e3b}\u{673a}\u{8bb0}\u{5f55}\u{3010}H\u{3011}\u{8bb0}\u{5f55}\u{7c7b}\u{578b}\u{3010}CNAME\u{3011}\u{8bb0}\u{5f55}\u{503c}\u{3010}V\u{3011}",
    ),
    (
        "Chinese sentence",
        "\u{8bf7}\u{6dfb}\u{52a0} CNAME \u{8bb0}\u{5f55}\u{ff0c}\u{4e3b}\u{673a}\u{8bb0}\u{5f55}\u{4e3a} H \u{ff0c}\u{8bb0}\u{5f55}\u{503c}\u{4e3a} V\u{3002}",
    ),
    (
        "console in German with units",
        "Name: H\nTyp: CNAME\nTTL: 1 Stunde\nVerweist auf: V.",
    ),
    (
        "German sentence",
        "Bitte legen Sie f\u{fc}r \u{201e}H\u{201c} einen CNAME-Eintrag auf \u{201e}V\u{201c} an.",
    ),
    (
        "JSON with escapes",
        "{\"name\":\"\\u005f47cba4dfbe697765f51230e84f04d091.example.com\",\"content\":\"V\"}",
    ),
    (
        "Route 53 change batch",
        "{\"Changes\":[{\"Action\":\"UPSERT\",\"ResourceRecordSet\":{\"Name\":\"H.\",\"Type\":\"CNAME\",\"TTL\":300,\"ResourceRecords\":[{\"Value\":\"V.\"}]}}]}",
    ),
    (
        "Cloudflare API",
        "{\"result\":{\"id\":\"372e67954025e0ba6aaa6d586b9e0b59\",\"type\":\"CNAME\",\"name\":\"H\",\"content\":\"V\",\"ttl\":1,\"proxied\":false},\"success\":true}",
    ),
    (
        "Google Cloud",
        "gcloud dns record-sets create H. --zone=example --type=CNAME --ttl=300 --rrdatas=V.",
    ),
    (
        "Azure",
        "az network dns record-set cname set-record -g rg -z example.com -n H -c V",
    ),
    (
        "PowerShell",
        "Add-DnsServerResourceRecordCName -ZoneName example.com -Name \"H\" -HostNameAlias \"V\"",
    ),
    (
        "nsupdate",
        "server ns1.example.com\nzone example.com\nupdate add H. 300 CNAME V.\nsend",
    ),
    (
        "Terraform",
        "resource \"aws_route53_record\" \"dcv\" {\n  name    = \"H\"\n  type    = \"CNAME\"\n  ttl     = 300\n  records = [\"V\"]\n}",
    ),
    ("DNSControl", "CNAME(\"H.\", \"V.\", TTL(300)),"),
    ("octoDNS", "H:\n  ttl: 300\n  type: CNAME\n  value: V."),
    (
        "Ansible",
        "- community.dns.record:\n    record: H\n    type: CNAME\n    value: V",
    ),
    (
        "dig",
        "; <<>> DiG 9.18 <<>> CNAME H\n;; QUESTION SECTION:\n;H. IN CNAME\n\n;; ANSWER SECTION:\nH. 300 IN CNAME V.\n\n;; Query time: 3 msec",
    ),
    ("host", "H is an alias for V."),
    ("nslookup", "H\tcanonical name = V."),
    ("Slack", "`H` \u{27a1}\u{fe0f} `V`"),
    (
        "HTML with wbr",
        "<td>_47cba4dfbe697765f51230e84f04d091.<wbr>example.com</td><td>CNAME</td><td>2e48bb4e8a04ec6ff6396052bfa7e3df.<wbr>7756667c4e96769d2101d67de72584dd.<wbr>69ff68dc5168c.sectigo.com</td>",
    ),
    (
        "HTML with entities for dots",
        "<b>_47cba4dfbe697765f51230e84f04d091&#46;example&#46;com</b> <i>V</i>",
    ),
    (
        "HTML inputs",
        "<input name=host value=\"H\"><input name=target value=\"V\">",
    ),
    (
        "marks of writing direction",
        "\u{200f}H\u{200e} CNAME \u{202a}V\u{202c}",
    ),
    (
        "full-width colon and space",
        "Host\u{ff1a}\u{3000}H\u{3000}Value\u{ff1a}\u{3000}V",
    ),
    (
        "capitals",
        "_47CBA4DFBE697765F51230E84F04D091.EXAMPLE.COM cname 2E48BB4E8A04EC6FF6396052BFA7E3DF.7756667C4E96769D2101D67DE72584DD.69ff68dc5168c.SECTIGO.COM",
    ),
    (
        "forwarded mail",
        "---------- Forwarded message ---------\nFrom: Support <support@reseller.example>\nDate: Mon, 30 Nov 2026\nSubject: DCV for example.com\n\nAlias: H\nPoint to: V\n\n-- \nReseller Ltd, https://www.reseller.example/",
    ),
    (
        "mail, quoted-printable with blanks as octets",
        "Host:=20_47cba4dfbe697765f51230e84f=\r\n04d091.example.com\r\nTarget:=20\u{200b}V\r\n(see =E2=80=93 above) =\r\n",
    ),
];

/// Texts without a usable record, and a part of the error.
const REFUSED: [(&str, &str, &str); 18] = [
    ("nothing", "  \n; a comment\n", "no record was given"),
    ("a host alone", "Host: H", "has no value"),
    ("a value alone", "Value: V", "its host is missing"),
    (
        "two values for one host",
        "H CNAME V\nH CNAME 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.aaaaaaaaaaaaa.sectigo.com",
        "two different CNAME records",
    ),
    (
        "two values in a table",
        "<tr><td>H</td><td>V</td></tr><tr><td>H</td><td>2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.bbbb.sectigo.com</td></tr>",
        "two different CNAME records",
    ),
    (
        "a lost digit in the host",
        "_47cba4dfbe697765f51230e84f04d09.example.com CNAME V",
        "31 hex digits",
    ),
    (
        "a lost digit in the value",
        "H CNAME 2e48bb4e8a04ec6ff6396052bfa7e3d.7756667c4e96769d2101d67de72584dd.sectigo.com",
        "31 hex digits",
    ),
    (
        "a cut value",
        "H CNAME 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c",
        "second half",
    ),
    (
        "a lost underscore",
        "47cba4dfbe697765f51230e84f04d091.example.com CNAME V",
        "leading underscore",
    ),
    (
        "another type",
        "example.com MX 10 mail.example.com",
        "type MX",
    ),
    (
        "the URL of a file",
        "http://example.com/.well-known/pki-validation/47CBA4.txt",
        "is a URL",
    ),
    (
        "a value without the CA's zone",
        "H CNAME 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd",
        "before the zone of the CA",
    ),
    (
        "a host cut by an ellipsis",
        "_47cba4dfbe69\u{2026}.example.com CNAME V",
        "does not start with",
    ),
    (
        "a value cut by dots",
        "H CNAME 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c...",
        "second half",
    ),
    ("a placeholder", "H CNAME <your value>", "your"),
    (
        "CAA",
        "example.com. IN CAA 0 issue \"sectigo.com\"",
        "type CAA",
    ),
    ("the value twice", "V CNAME V", "leading underscore"),
    ("the host twice", "H CNAME H", "has no value"),
];

fn filled(text: &str) -> String {
    // The capital letters stand alone in no other word of the texts.
    let mut out = String::new();
    let mut rest = text;
    while let Some(index) = rest.find(['H', 'V']) {
        let (before, after) = rest.split_at(index);
        let follows_letter = before.chars().next_back().is_some_and(char::is_alphabetic);
        let next = after[1..].chars().next();
        out.push_str(before);
        if follows_letter || next.is_some_and(|c| c.is_ascii_alphabetic()) {
            out.push_str(&after[..1]);
        } else {
            out.push_str(if after.starts_with('H') { HOST } else { VALUE });
        }
        rest = &after[1..];
    }
    out + rest
}

#[test]
fn the_record_is_found_in_every_form() {
    let mut failed = Vec::new();
    for (format, text) in RECORDS {
        let text = filled(text);
        match parse(&text) {
            Ok(records)
                if records.len() == 1
                    && records[0].zone_line() == format!("{HOST}. 300 IN CNAME {VALUE}.") => {}
            other => failed.push(format!("{format}: {other:?}\n{text}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn other_texts_are_refused_for_their_own_reason() {
    let mut failed = Vec::new();
    for (format, text, reason) in REFUSED {
        let text = filled(text);
        match parse(&text) {
            Err(error) if error.to_string().contains(reason) => {}
            other => failed.push(format!("{format}: {other:?}, not {reason:?}\n{text}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
