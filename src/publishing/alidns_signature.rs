//! Signatures for the API of Alibaba Cloud, V3 (ACS3-HMAC-SHA256): the canonical request, and the
//! headers that go with it. Source: "V3 request body and signature method", Alibaba Cloud SDK
//! documentation; the vectors in the tests are those of the official SDK (2026-11-28).

use aws_lc_rs::hmac;
use jiff::Timestamp;

use crate::pki::fingerprint::Fingerprint;
use crate::secret::SecretText;
use crate::wording::percent_encode;

/// The name of the method.
const METHOD: &str = "ACS3-HMAC-SHA256";

/// The key of a RAM user or, with a token, of a role for a limited time (STS).
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub id: SecretText,
    pub secret: SecretText,
    pub token: Option<SecretText>,
}

/// One call of an action (RPC style): `POST /` with all parameters in the query, and no body.
#[derive(Debug)]
pub(crate) struct ActionCall<'a> {
    /// The value of the `Host` header.
    pub host: &'a str,
    pub action: &'a str,
    pub version: &'a str,
    /// The names and values.
    pub parameters: &'a [(&'a str, &'a str)],
    pub at: Timestamp,
    /// A text that is used for one request only.
    pub nonce: &'a str,
}

/// A header of a signed request.
#[derive(Clone, Debug)]
pub(crate) struct SignedHeader {
    /// In lower case.
    pub name: &'static str,
    pub value: SecretText,
}

impl ActionCall<'_> {
    /// Returns the query: sorted by name, with everything encoded that is not unreserved (RFC 3986
    /// section 2.3).
    #[must_use]
    pub(crate) fn query(&self) -> String {
        let mut pairs = Vec::with_capacity(self.parameters.len());
        for (name, value) in self.parameters {
            let name = percent_encode(name);
            pairs.push(format!("{name}={}", percent_encode(value)));
        }
        pairs.sort_unstable();
        pairs.join("&")
    }

    /// Returns all headers except `Host`, the last of which has the signature.
    #[must_use]
    pub(crate) fn headers(&self, key: &AccessKey) -> Vec<SignedHeader> {
        let mut headers = self.signed_headers(key);
        let canonical = self.canonical_request(&headers);
        let value = SecretText::new(format!(
            "{METHOD} Credential={},SignedHeaders={},Signature={}",
            key.id.expose(),
            names_of(&headers),
            signature(&canonical, key)
        ));
        headers.retain(|header| header.name != "host");
        headers.push(SignedHeader {
            name: "authorization",
            value,
        });
        headers
    }

    /// The headers that are signed, sorted by name.
    fn signed_headers(&self, key: &AccessKey) -> Vec<SignedHeader> {
        let date = self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut headers = Vec::new();
        let mut add = |name: &'static str, value: &str| {
            headers.push(SignedHeader {
                name,
                value: SecretText::new(value.to_owned()),
            });
        };
        add("host", self.host);
        add("x-acs-action", self.action);
        add("x-acs-content-sha256", &hash_of(""));
        add("x-acs-date", &date);
        if let Some(token) = &key.token {
            add("x-acs-security-token", token.expose().trim());
        }
        add("x-acs-signature-nonce", self.nonce);
        add("x-acs-version", self.version);
        headers
    }

    fn canonical_request(&self, headers: &[SignedHeader]) -> SecretText {
        let mut lines = vec!["POST".to_owned(), "/".to_owned(), self.query()];
        for header in headers {
            lines.push(format!("{}:{}", header.name, header.value.expose()));
        }
        lines.push(String::new());
        lines.push(names_of(headers));
        lines.push(hash_of(""));
        SecretText::new(lines.join("\n"))
    }
}

fn names_of(headers: &[SignedHeader]) -> String {
    let mut names = Vec::new();
    for header in headers {
        names.push(header.name);
    }
    names.join(";")
}

/// SHA-256 in lower-case hex.
fn hash_of(text: &str) -> String {
    Fingerprint::of(text.as_bytes()).to_string()
}

/// HMAC-SHA256 with the secret as it is, in lower-case hex.
fn signature(canonical_request: &SecretText, key: &AccessKey) -> String {
    let to_sign = format!("{METHOD}\n{}", hash_of(canonical_request.expose()));
    let secret = key.secret.expose().trim();
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&secret, to_sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{AccessKey, ActionCall, hash_of};
    use crate::secret::SecretText;

    const TARGET: &str = "6694010fac8ed8f806f1ead56a1a0478.de6620a256bb8c356a8dd2146b00e884.5a955211b1f8c.comodoca.com";

    struct Vector {
        action: &'static str,
        parameters: &'static [(&'static str, &'static str)],
        token: Option<&'static str>,
        query: &'static str,
        /// The hash of the canonical request.
        hash: &'static str,
        signature: &'static str,
    }

    const RECORD: &[(&str, &str)] = &[
        ("Type", "CNAME"),
        ("DomainName", "example.com"),
        ("RR", "_4e3324a380b58813d5a2f32aa13a96f0.login"),
        ("Value", TARGET),
        ("TTL", "600"),
        ("Line", "default"),
    ];
    const RECORD_QUERY: &str = "DomainName=example.com&Line=default&RR=_4e3324a380b58813d5a2f32aa13a96f0.login&TTL=600&Type=CNAME&Value=6694010fac8ed8f806f1ead56a1a0478.de6620a256bb8c356a8dd2146b00e884.5a955211b1f8c.comodoca.com";

    /// Made with alibabacloud-tea-openapi 0.4.6, the core of the official SDK.
    const VECTORS: [Vector; 4] = [
        Vector {
            action: "AddDomainRecord",
            parameters: RECORD,
            token: None,
            query: RECORD_QUERY,
            hash: "2ca4849f7d60a86f9ea49d31b247d00c3a434aba2533a782ea8bfefb22ad5e9c",
            signature: "00684cb694a79f8fdeb58b14c3051febf46c2bdbeefa334549dc10e7f60c2da5",
        },
        Vector {
            action: "AddDomainRecord",
            parameters: RECORD,
            token: Some("sts+tok/en=="),
            query: RECORD_QUERY,
            hash: "",
            signature: "b3e86048da9a1726f7137e7ddc8f82697359a2efda31895b733c712f9c3308fd",
        },
        Vector {
            action: "AddDomainRecord",
            parameters: &[
                ("DomainName", "example.com"),
                ("RR", "_validation-persist"),
                ("TTL", "600"),
                ("Type", "TXT"),
                (
                    "Value",
                    "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1234567890; policy=wildcard",
                ),
            ],
            token: None,
            query: "DomainName=example.com&RR=_validation-persist&TTL=600&Type=TXT&Value=letsencrypt.org%3B%20accounturi%3Dhttps%3A%2F%2Facme-v02.api.letsencrypt.org%2Facme%2Facct%2F1234567890%3B%20policy%3Dwildcard",
            hash: "e5b6313e2a1419465ddd2f409ab8bd4c84c43dbdd301b4bc1aa76bed3a5d3fa6",
            signature: "b160c926075fec0760b5fbfe4cbf23b57989cb95c134b163d355848e0e27d9f2",
        },
        Vector {
            action: "DescribeSubDomainRecords",
            parameters: &[
                ("SubDomain", "*.example.com"),
                ("Type", "TXT"),
                ("PageNumber", "1"),
                ("PageSize", "500"),
            ],
            token: None,
            query: "PageNumber=1&PageSize=500&SubDomain=%2A.example.com&Type=TXT",
            hash: "c4aa0542d52e933a729e849e9f1aeda6c80bc40b6b76e11a7cecf4ed67b592c6",
            signature: "82eee6c0e918e96cc97469b6100b3471ad4a6b89adfaa711992757a2e2efc115",
        },
    ];

    fn key(id: &str, secret: &str, token: Option<&str>) -> AccessKey {
        let text = |text: &str| SecretText::new(text.to_owned());
        AccessKey {
            id: text(id),
            secret: text(secret),
            token: token.map(text),
        }
    }

    #[test]
    fn requests_are_signed_as_the_official_sdk_does() {
        for vector in VECTORS {
            let call = ActionCall {
                host: "alidns.aliyuncs.com",
                action: vector.action,
                version: "2015-01-09",
                parameters: vector.parameters,
                at: "2026-11-28T12:00:00Z".parse().unwrap(),
                nonce: "0123456789abcdef0123456789abcdef",
            };
            let key = key("testid", "testsecret", vector.token);
            assert_eq!(call.query(), vector.query);
            if !vector.hash.is_empty() {
                let canonical = call.canonical_request(&call.signed_headers(&key));
                assert_eq!(hash_of(canonical.expose()), vector.hash);
            }
            let headers = call.headers(&key);
            let last = headers.last().unwrap();
            assert_eq!(last.name, "authorization");
            let expected = format!("Signature={}", vector.signature);
            assert!(
                last.value.expose().ends_with(&expected),
                "{}",
                vector.action
            );
        }
    }

    /// The vector of the documentation, "RunInstances".
    #[test]
    fn the_documented_request_has_the_documented_signature() {
        let call = ActionCall {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            parameters: &[
                (
                    "ImageId",
                    "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
                ),
                ("RegionId", "cn-shanghai"),
            ],
            at: "2023-10-26T10:22:32Z".parse().unwrap(),
            nonce: "3156853299f313e23d1673dc12e1703d",
        };
        let headers = call.headers(&key("YourAccessKeyId", "YourAccessKeySecret", None));
        assert_eq!(
            headers.last().unwrap().value.expose(),
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }
}
