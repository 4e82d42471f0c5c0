//! How much work lies ahead: rounds for each year.

use std::collections::BTreeMap;

use crate::commands::status::shown::Judged;
use crate::inventory::State;
use crate::inventory::rounds::Proof;

/// A small table; nothing where no round is to come.
pub(super) fn table(rows: &[Judged]) -> String {
    let mut years: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let live = rows.iter().map(|one| &one.row).filter(|row| row.state != State::Superseded);
    for round in live.flat_map(|row| &row.rounds) {
        let [rounds, proofs] = years.entry(round.due.strftime("%Y").to_string()).or_default();
        *rounds += 1;
        *proofs += usize::from(round.proof == Proof::New);
    }
    if years.is_empty() {
        return String::new();
    }
    let row = |(year, [rounds, proofs]): (&String, &[usize; 2])| {
        format!("<tr><th scope=\"row\">{year}</th><td>{rounds}</td><td>{proofs}</td></tr>")
    };
    format!(
        "<section><h2>Work ahead</h2><table class=\"years\"><thead><tr><th scope=\"col\">Year</th>\
         <th scope=\"col\">Rounds</th><th scope=\"col\">of these with a new proof of control</th></tr></thead>\
         <tbody>{}</tbody></table></section>\n",
        years.iter().map(row).collect::<String>()
    )
}
