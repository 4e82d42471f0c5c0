//! `man` renders the pages in docs/man, at the width of a terminal, without a warning.
//! Needs: man
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;

use support::external::external_program;

/// Renders one page; returns its text and what man and groff complain about.
fn render(page: &Path) -> (String, String) {
    let run = external_program("man")
        .args(["--warnings", "--local-file"])
        .arg(page)
        .env("MANWIDTH", "80")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}: {run:?}", page.display());
    (
        String::from_utf8(run.stdout).unwrap(),
        String::from_utf8(run.stderr).unwrap(),
    )
}

#[test]
fn man_renders_every_page_without_warnings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let page = entry.unwrap().path();
        let (text, complaints) = render(&page);
        assert!(complaints.is_empty(), "{}: {complaints}", page.display());
        for title in ["NAME", "EXAMPLES", "EXIT STATUS", "SEE ALSO"] {
            let is_there = text.lines().any(|line| line == title);
            assert!(
                is_there,
                "{} has no section {title}:\n{text}",
                page.display()
            );
        }
        let wide: Vec<&str> = text
            .lines()
            .filter(|line| line.chars().count() > 80 && !line.trim().starts_with("certctl"))
            .collect();
        assert!(wide.is_empty(), "{}: {wide:?}", page.display());
        count += 1;
    }
    assert!(count > 10, "only {count} pages were checked");
}

#[test]
fn a_faulty_page_is_reported() {
    let sandbox = support::Sandbox::new();
    let page = sandbox.write("faulty.1", ".TH FAULTY 1\n.SH NAME\n.nosuchmacro x\n");
    let (_, complaints) = render(&page);
    assert!(complaints.contains("nosuchmacro"), "{complaints}");
}
