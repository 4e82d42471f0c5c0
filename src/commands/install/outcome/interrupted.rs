//! The failure of several certificates that a signal interrupted.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

/// How far one of several certificates got.
pub(super) struct InterruptedCertificate {
    pub stem: String,
    pub state: Vec<String>,
    /// What to do now, if this certificate was interrupted itself.
    pub next: Option<NextStep>,
}

/// Certificates that a signal left in the same state.
struct StateGroup<'a> {
    state: Vec<String>,
    stems: Vec<&'a str>,
}

impl StateGroup<'_> {
    /// `a, b and 3 more: `
    fn label(&self) -> String {
        const FEW: usize = 5;
        let count = self.stems.len();
        if count > FEW {
            let few = self.stems[..FEW].join(", ");
            format!("{few} and {} more: ", count - FEW)
        } else {
            format!("{}: ", self.stems.join(", "))
        }
    }
}

fn group_by_state(certificates: &[InterruptedCertificate]) -> Vec<StateGroup<'_>> {
    let mut groups: Vec<StateGroup<'_>> = Vec::new();
    for certificate in certificates {
        let state = &certificate.state;
        match groups.iter_mut().find(|group| group.state == *state) {
            Some(group) => group.stems.push(&certificate.stem),
            None => groups.push(StateGroup {
                state: state.clone(),
                stems: vec![&certificate.stem],
            }),
        }
    }
    groups
}

/// The failure of several certificates that a signal interrupted. Some may be live and others rolled
/// back: each state is listed with its certificates.
pub(super) fn interrupted(signal: i32, certificates: &[InterruptedCertificate]) -> Failure {
    let mut failure = Failure::new(
        FailureKind::Interrupted(signal),
        format!("interrupted by signal {signal}"),
    );
    let groups = group_by_state(certificates);
    for group in &groups {
        let label = if groups.len() == 1 {
            String::new()
        } else {
            group.label()
        };
        for cause in &group.state {
            failure = failure.because(format!("{label}{cause}"));
        }
    }
    let mut steps = certificates.iter();
    let next = steps.find_map(|certificate| certificate.next.clone());
    next.into_iter().fold(failure, Failure::with_step)
}

#[cfg(test)]
mod tests {
    use super::{InterruptedCertificate, interrupted};
    use crate::finding::NextStep;

    fn interrupted_certificate(stem: &str, state: &str) -> InterruptedCertificate {
        InterruptedCertificate {
            stem: stem.to_owned(),
            state: vec![state.to_owned()],
            next: Some(NextStep::say("Run the same command again")),
        }
    }

    #[test]
    fn interrupted_installs_list_the_state_of_each_certificate() {
        let back = "rolled back";
        let same = [
            interrupted_certificate("a", back),
            interrupted_certificate("b", back),
        ];
        assert_eq!(interrupted(15, &same).causes, [back]);
        let different = [
            interrupted_certificate("a", back),
            interrupted_certificate("b", "not everything was rolled back"),
            interrupted_certificate("c", back),
        ];
        let failure = interrupted(15, &different);
        assert_eq!(
            failure.causes,
            ["a, c: rolled back", "b: not everything was rolled back"]
        );
        assert_eq!(failure.kind.exit_code(), 143);
        assert_eq!(failure.next.len(), 1);
    }
}
