//! A machine of its own that a real systemd runs: its processes, mounts and control groups are
//! separate, and what it writes is in memory, above the file system of this machine. It shares the
//! sandbox and, unless it is isolated, the network. Needs root.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::external::external_program;
use super::program::program;
use super::{Run, Sandbox};

/// Prepares the control group of the machine. What runs in a control group of its own can be found
/// and removed afterwards.
const ENTER_GROUP: &str = "
mount --make-rprivate /; mkdir -p \"$GROUPS_AT\"; mount -t cgroup2 groups \"$GROUPS_AT\"
mkdir -p \"$GROUPS_AT/$GROUP\"; echo $$ >\"$GROUPS_AT/$GROUP/cgroup.procs\"; umount \"$GROUPS_AT\"
exec unshare --mount --pid --uts --ipc --cgroup --fork --mount-proc --kill-child sh -ec \"$BOOT\"";

/// Builds the machine's file system and starts systemd in it. Nothing in it can reach the kernel's
/// settings (/proc/sys and /sys are read-only) or its clock and modules (capabilities).
const BOOT: &str = "
mount --make-rprivate /
mount -t tmpfs -o mode=755 machine /mnt; mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work machine /mnt/root
cd /mnt/root
for folder in run tmp var/tmp var/log; do mount -t tmpfs -o mode=755 machine $folder; done
chmod 1777 tmp var/tmp
mkdir var/log/nginx var/log/apache2
mount -t tmpfs -o mode=755 machine etc/ssl; mkdir -m 700 etc/ssl/private
mkdir -p \".$SANDBOX\" \".$(dirname \"$CERTCTL\")\"
mount --bind \"$SANDBOX\" \".$SANDBOX\"
mount --bind \"$(dirname \"$CERTCTL\")\" \".$(dirname \"$CERTCTL\")\"
mount -t proc machine proc; mount --bind proc/sys proc/sys; mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro machine sys; mount -t tmpfs -o mode=755 machine sys/fs/cgroup
mount -t cgroup2 machine sys/fs/cgroup
mount -t tmpfs -o mode=755 machine dev
for device in null zero full random urandom tty; do
  : >dev/$device; mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm; mount -t devpts -o newinstance,ptmxmode=666 machine dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd; mount -t tmpfs machine dev/shm
for unit in timers.target systemd-modules-load.service systemd-remount-fs.service \
  systemd-random-seed.service systemd-sysctl.service systemd-udevd.service \
  systemd-udev-trigger.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  proc-sys-fs-binfmt_misc.automount; do
  ln -sf /dev/null etc/systemd/system/$unit
done
mkdir mnt/old; pivot_root . mnt/old; cd /; umount -l /mnt/old
exec env -i container=certctl-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set -sys_module,-sys_boot,-sys_time,-sys_rawio \
  /lib/systemd/systemd --unit=basic.target --log-target=null --show-status=false";

/// A running machine; it ends when it is dropped.
pub struct SystemdMachine {
    /// Waits for the machine's first process and ends it.
    holder: Child,
    /// The machine's first process, as this machine numbers it.
    systemd: u32,
    group: String,
    groups_at: String,
}

impl SystemdMachine {
    /// Starts a machine that shows the sandbox at the same path, and waits until it has booted.
    pub fn boot(sandbox: &Sandbox) -> Self {
        Self::boot_in(sandbox, &["--mount"])
    }

    /// Starts a machine that has a network of its own as well.
    pub fn boot_isolated(sandbox: &Sandbox) -> Self {
        let machine = Self::boot_in(sandbox, &["--mount", "--net"]);
        let run = machine.run(sandbox, "ip link set lo up");
        assert_eq!(run.code, 0, "{run}");
        machine
    }

    fn boot_in(sandbox: &Sandbox, namespaces: &[&str]) -> Self {
        let group = format!(
            "certctl-test-{}",
            sandbox.path().file_name().unwrap().display()
        );
        let groups_at = sandbox.join("groups").display().to_string();
        let holder = external_program("unshare")
            .args(namespaces)
            .args(["sh", "-ec", ENTER_GROUP])
            .env("BOOT", BOOT)
            .env("CERTCTL", program())
            .env("GROUP", &group)
            .env("GROUPS_AT", &groups_at)
            .env("SANDBOX", sandbox.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut machine = Self {
            holder,
            systemd: 0,
            group,
            groups_at,
        };
        machine.await_boot(sandbox);
        machine
    }

    fn await_boot(&mut self, sandbox: &Sandbox) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(systemd) = child_of(self.holder.id()) {
                self.systemd = systemd;
                let state = self.run(sandbox, "systemctl is-system-running || true");
                if ["running\n", "degraded\n"].contains(&state.stdout.as_str()) {
                    return;
                }
            }
            assert!(
                matches!(self.holder.try_wait(), Ok(None)) && Instant::now() < deadline,
                "systemd did not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs `script` in the machine, in a POSIX shell that stops at the first failure; in it,
    /// `certctl` is the real binary.
    pub fn run(&self, sandbox: &Sandbox, script: &str) -> Run {
        let folder = sandbox.path().display();
        let head = format!("cd {folder}; certctl() {{ \"$CERTCTL\" \"$@\"; }}");
        let mut command = external_program("nsenter");
        command
            .args(["--target", &self.systemd.to_string()])
            .args([
                "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--root",
            ])
            .args(["sh", "-ec", &format!("{head}\n{script}")])
            .env("CERTCTL", program());
        sandbox.run_command(command)
    }
}

impl Drop for SystemdMachine {
    fn drop(&mut self) {
        // The kernel ends the machine with its holder.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let script = "mount --make-rprivate /; mount -t cgroup2 groups \"$GROUPS_AT\"
            for attempt in $(seq 100); do
              find \"$GROUPS_AT/$GROUP\" -depth -type d -exec rmdir {} + 2>/dev/null || true
              [ -d \"$GROUPS_AT/$GROUP\" ] || break; sleep 0.1
            done";
        let _ = external_program("unshare")
            .args(["--mount", "sh", "-ec", script])
            .env("GROUP", &self.group)
            .env("GROUPS_AT", &self.groups_at)
            .status();
    }
}

/// The first child of a process.
fn child_of(process: u32) -> Option<u32> {
    let children =
        std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
