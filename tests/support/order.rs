//! A sandbox with a key and a request, and what a CA sends for it.

use super::Sandbox;
use super::ca::TestCa;

/// `example.com.key` and `.csr` for example.com and www.example.com, the CA's `root.pem`, and a
/// good leaf.
pub struct Order {
    pub sandbox: Sandbox,
    pub ca: TestCa,
    pub leaf: String,
}

impl Order {
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

    /// Leaf and intermediate.
    pub fn chain(&self) -> String {
        format!("{}{}", self.leaf, self.ca.intermediate_pem())
    }

    /// What lies in the sandbox.
    pub fn listing(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.sandbox.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
