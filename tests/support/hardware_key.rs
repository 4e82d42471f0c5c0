//! A key in SoftHSM, a hardware security module in software, which nginx opens through OpenSSL's
//! PKCS#11 engine.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::Sandbox;
use super::external::{external_program, path_of, succeed};

const PIN: &str = "1234";

/// A token with one key at a time.
pub struct HardwareToken {
    folder: PathBuf,
}

impl HardwareToken {
    /// Creates an empty token, and the configuration of OpenSSL that opens it.
    pub fn new(sandbox: &Sandbox) -> Self {
        let folder = sandbox.join("token");
        std::fs::create_dir_all(folder.join("objects")).unwrap();
        let token = Self { folder };
        token.write_configuration();
        let mut init = token.softhsm();
        init.args(["--init-token", "--free", "--label", "certctl"]);
        succeed(init.args(["--pin", PIN, "--so-pin", PIN]));
        token
    }

    fn write_configuration(&self) {
        let objects = self.folder.join("objects");
        let softhsm = format!("directories.tokendir = {}\n", objects.display());
        std::fs::write(self.folder.join("softhsm2.conf"), softhsm).unwrap();
        let engine = path_of("/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so");
        let module = path_of("/usr/lib/softhsm/libsofthsm2.so");
        let openssl = format!(
            "openssl_conf = main\n[main]\nengines = engines\n[engines]\npkcs11 = pkcs11\n[pkcs11]\n\
             engine_id = pkcs11\ndynamic_path = {}\nMODULE_PATH = {}\nPIN = {PIN}\ninit = 1\n",
            engine.display(),
            module.display()
        );
        std::fs::write(self.folder.join("openssl.cnf"), openssl).unwrap();
    }

    fn softhsm(&self) -> Command {
        let mut command = external_program("softhsm2-util");
        command.env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"));
        command
    }

    /// Moves the key in this file of the sandbox into the token, under a name: the file is gone.
    pub fn take_key(&self, sandbox: &Sandbox, file: &str, name: &str) {
        let path = sandbox.join(file);
        let id: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut import = self.softhsm();
        import
            .arg("--import")
            .arg(&path)
            .args(["--token", "certctl"]);
        succeed(import.args(["--label", name, "--id", &id, "--pin", PIN]));
        std::fs::remove_file(path).unwrap();
    }

    /// Lets every user open the token, such as the one that Apache's processes run as.
    pub fn open_to_all_users(&self, sandbox: &Sandbox) {
        let mode = Permissions::from_mode(0o711);
        std::fs::set_permissions(sandbox.path(), mode).unwrap();
        let mut chmod = external_program("chmod");
        succeed(chmod.args(["-R", "a+rwX"]).arg(&self.folder));
    }

    /// The value of `SSLCertificateKeyFile` for a key.
    pub fn uri(&self, name: &str) -> String {
        format!("pkcs11:token=certctl;object={name};type=private;pin-value={PIN}")
    }

    /// The value of `ssl_certificate_key` for a key.
    pub fn reference(&self, name: &str) -> String {
        format!("engine:pkcs11:{}", self.uri(name))
    }

    /// The environment of a server that opens the token.
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("OPENSSL_CONF", self.folder.join("openssl.cnf")),
            ("SOFTHSM2_CONF", self.folder.join("softhsm2.conf")),
        ]
    }
}
