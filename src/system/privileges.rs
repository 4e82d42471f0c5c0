//! The privileges of this process.

use std::path::Path;

use crate::system::fs::files;

/// The number of CAP_DAC_OVERRIDE in the sets of capabilities (capabilities(7)).
const DAC_OVERRIDE: u32 = 1;

/// Returns whether this process may read and write every file, whatever its mode says: root may, but
/// not as a service without capabilities. Assumed if the kernel does not tell.
#[must_use]
pub(crate) fn overrides_permissions() -> bool {
    let status = files::read(Path::new("/proc/self/status"), 64 * 1024).unwrap_or_default();
    effective_capabilities(&String::from_utf8_lossy(&status))
        .is_none_or(|capabilities| capabilities & (1 << DAC_OVERRIDE) != 0)
}

/// Reads the line `CapEff` (proc_pid_status(5)).
fn effective_capabilities(status: &str) -> Option<u64> {
    let mut lines = status.lines();
    let set = lines.find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::effective_capabilities;

    #[test]
    fn effective_capabilities_are_read() {
        let status = "CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000006\n";
        assert_eq!(effective_capabilities(status), Some(6));
        assert_eq!(effective_capabilities("Name:\tcertctl\n"), None);
    }
}
