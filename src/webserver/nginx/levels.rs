//! Which directives apply to a server: its own, and those that it inherits.

use super::parse::NginxDirective;

/// The directives of a server and those of the block around it.
#[derive(Clone, Copy)]
pub(super) struct DirectiveLevels<'a> {
    pub inner: &'a [&'a NginxDirective],
    pub outer: &'a [&'a NginxDirective],
}

impl<'a> DirectiveLevels<'a> {
    /// The directives with this name that apply: those of the server replace all of the same name
    /// around it.
    pub(super) fn effective(
        &self,
        name: &'static str,
    ) -> impl Iterator<Item = &'a NginxDirective> + use<'a> {
        let is_overridden = self.inner.iter().any(|directive| directive.name == name);
        let level = if is_overridden {
            self.inner
        } else {
            self.outer
        };
        level
            .iter()
            .copied()
            .filter(move |directive| directive.name == name)
    }

    /// Returns whether a switch is on.
    pub(super) fn is_on(&self, name: &'static str) -> bool {
        self.effective(name)
            .any(|directive| directive.only() == Some("on"))
    }
}
