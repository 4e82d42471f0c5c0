//! A CA that uses the openssl command line, and the zip file that a reseller sends, created with
//! zip(1).

use std::path::PathBuf;

use super::Sandbox;
use super::external::{external_program, succeed};

/// The algorithm of the CA's keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CaKey {
    Ec,
    Rsa,
}

/// A root and an intermediate below it, in a folder of the sandbox.
pub struct OpensslCa<'a> {
    sandbox: &'a Sandbox,
    folder: PathBuf,
}

const CA_EXTENSIONS: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
                             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n";

impl<'a> OpensslCa<'a> {
    pub fn new(sandbox: &'a Sandbox, folder: &str, key: CaKey) -> Self {
        let ca = Self {
            sandbox,
            folder: sandbox.join(folder),
        };
        std::fs::create_dir_all(&ca.folder).unwrap();
        std::fs::write(ca.folder.join("ca.ext"), CA_EXTENSIONS).unwrap();
        for (name, subject, signer) in [
            (
                "root",
                "/O=Foreign/CN=Foreign Root R1",
                &["-signkey", "root.key"][..],
            ),
            (
                "intermediate",
                "/O=Foreign/CN=Foreign DV CA",
                &["-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial"],
            ),
        ] {
            let (key_file, request, certificate) = (
                format!("{name}.key"),
                format!("{name}.csr"),
                format!("{name}.crt"),
            );
            match key {
                CaKey::Ec => ca.openssl(&[
                    "ecparam",
                    "-name",
                    "prime256v1",
                    "-genkey",
                    "-noout",
                    "-out",
                    &key_file,
                ]),
                CaKey::Rsa => ca.openssl(&["genrsa", "-out", &key_file, "2048"]),
            };
            ca.openssl(&[
                "req", "-new", "-key", &key_file, "-subj", subject, "-out", &request,
            ]);
            let sign = [
                "x509",
                "-req",
                "-in",
                &request,
                "-days",
                "900",
                "-extfile",
                "ca.ext",
                "-out",
                &certificate,
            ];
            ca.openssl(&[&sign[..], signer].concat());
        }
        ca
    }

    /// Returns the file of the root.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root.crt")
    }

    /// Issues a leaf for the names of the request file and returns it as PEM.
    pub fn issue(&self, request: &str, days: u32) -> String {
        let request = self.sandbox.join(request);
        let request = request.to_str().unwrap();
        let printed = self.openssl(&["req", "-in", request, "-noout", "-text", "-verify"]);
        let names = printed
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("DNS:"))
            .expect("names in the request");
        let extensions = format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n\
             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\nsubjectAltName={names}\n"
        );
        std::fs::write(self.folder.join("leaf.ext"), extensions).unwrap();
        let days = days.to_string();
        let issuer = [
            "-CA",
            "intermediate.crt",
            "-CAkey",
            "intermediate.key",
            "-CAcreateserial",
        ];
        let sign = [
            "x509", "-req", "-in", request, "-days", &days, "-extfile", "leaf.ext", "-out",
            "leaf.crt",
        ];
        self.openssl(&[&sign[..], &issuer].concat());
        self.read("leaf.crt")
    }

    /// Writes the most awkward zip file that resellers send: the bundle before the leaf, the root
    /// before the intermediate, and CRLF line endings.
    pub fn write_reseller_zip(&self, zip: &str, stem: &str, leaf: &str) {
        let crlf = |text: String| text.replace('\n', "\r\n");
        let (bundle, certificate) = (format!("{stem}.ca-bundle"), format!("{stem}.crt"));
        std::fs::write(
            self.folder.join(&bundle),
            crlf(self.read("root.crt") + &self.read("intermediate.crt")),
        )
        .unwrap();
        std::fs::write(self.folder.join(&certificate), crlf(leaf.to_owned())).unwrap();
        let zip = self.sandbox.join(zip);
        let _ = std::fs::remove_file(&zip);
        succeed(
            external_program("zip")
                .args(["-q", "-X"])
                .arg(zip)
                .args([bundle, certificate])
                .current_dir(&self.folder),
        );
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    fn openssl(&self, args: &[&str]) -> String {
        succeed(
            external_program("openssl")
                .args(args)
                .current_dir(&self.folder),
        )
    }
}
