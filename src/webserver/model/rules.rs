//! The rules by which the model predicts what a server serves. The tests that compare the model with
//! real servers switch them off one by one: each must then lead to a wrong prediction, or the rule is
//! not tested. Only debug builds can do that.

#[cfg(debug_assertions)]
use std::cell::Cell;

/// A rule of a server that the model follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ModelRule {
    /// Apache: the most specific address of a virtual host wins.
    ApacheAddress,
    /// Apache: a host without TLS at an address with TLS sends the certificates of the first host.
    ApacheFirstHost,
    /// Apache: `<IfFile>` depends on the file.
    ApacheIfFile,
    /// Apache: certificates beyond a host's own come from the main server.
    ApacheInheritance,
    /// Apache: `Use` inserts a macro.
    ApacheMacro,
    /// Apache: mod_md provides certificates.
    ApacheManagedDomain,
    /// Apache: a host without a name has that of the main server.
    ApacheMainName,
    /// HAProxy: `crt-base` is the folder of relative paths.
    HaproxyBase,
    /// HAProxy: `.if` decides which lines are read.
    HaproxyCondition,
    /// HAProxy: only the first certificate is the default.
    HaproxyDefault,
    /// HAProxy: `!name` in a crt-list excludes a name.
    HaproxyExclusion,
    /// HAProxy: the key type decides before the name.
    HaproxyKeyType,
    /// HAProxy: TCP frontends pass connections on by name.
    HaproxyPassThrough,
    /// HAProxy: `strict-sni` refuses other names.
    HaproxyStrictSni,
    /// nginx: a block without a certificate sends that of the default block.
    NginxBareBlock,
    /// nginx: a name that conflicts with an earlier one is ignored as a whole.
    NginxConflict,
    /// nginx: `default_server` makes a block the default.
    NginxDefaultServer,
    /// nginx: exact names go before wildcards.
    NginxExactName,
    /// nginx: regular expressions select a block.
    NginxExpression,
    /// nginx: the first regular expression that matches decides.
    NginxExpressionOrder,
    /// nginx: the http block's certificates are inherited.
    NginxInheritance,
    /// nginx: wildcards with a leading `*` go before those with a trailing one.
    NginxLeadingFirst,
    /// nginx: the longest wildcard wins.
    NginxLongestWildcard,
    /// nginx: a stream server passes connections on by name.
    NginxPreread,
    /// nginx: `ssl_reject_handshake` refuses the handshake.
    NginxRejectHandshake,
    /// A single address goes before all addresses.
    SingleAddress,
}

#[cfg(debug_assertions)]
thread_local! {
    static SWITCHED_OFF: Cell<Option<ModelRule>> = const { Cell::new(None) };
}

impl ModelRule {
    /// Returns whether the model follows the rule.
    #[cfg(debug_assertions)]
    pub(crate) fn is_followed(self) -> bool {
        SWITCHED_OFF.get() != Some(self)
    }

    /// Returns whether the model follows the rule: always, because no test runs.
    #[cfg(not(debug_assertions))]
    pub(crate) const fn is_followed(self) -> bool {
        true
    }

    /// Runs `work` in a model that does not follow the rule.
    #[cfg(debug_assertions)]
    pub fn switch_off<T>(self, work: impl FnOnce() -> T) -> T {
        /// Switches the rule on again, even after a panic.
        struct SwitchOn;
        impl Drop for SwitchOn {
            fn drop(&mut self) {
                SWITCHED_OFF.set(None);
            }
        }
        SWITCHED_OFF.set(Some(self));
        let _switch_on = SwitchOn;
        work()
    }
}
