//! A sandbox with a key, a request, and the certificate that a CA issued for the request.

use super::Sandbox;
use super::ca::TestCa;

/// A sandbox with `example.com.key`, `example.com.csr` (for example.com and www.example.com) and
/// the CA's `root.pem`; and a valid leaf.
pub struct IssuedCertificate {
    pub sandbox: Sandbox,
    pub ca: TestCa,
    pub leaf: String,
}

impl IssuedCertificate {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox
            .run(&["csr", "example.com", "www.example.com"])
            .expect(0);
        let ca = TestCa::new();
        sandbox.write("root.pem", ca.root_pem());
        let leaf = ca.issue(&sandbox.read("example.com.csr"));
        Self { sandbox, ca, leaf }
    }

    /// Returns leaf and intermediate as PEM.
    pub fn chain(&self) -> String {
        format!("{}{}", self.leaf, self.ca.intermediate_pem())
    }

    /// Returns the names of the files in the sandbox.
    pub fn listing(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.sandbox.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
