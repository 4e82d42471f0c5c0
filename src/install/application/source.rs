//! Reads the modules of an application, without running them.

use std::path::Path;

use crate::site::application::SourceModule;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// How many modules are read, and how many entries of one folder.
const MODULE_LIMIT: usize = 2000;
/// The largest module that is read, in bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;
/// How deep packages are searched: `shop.web.wsgi`.
const DEPTH: usize = 3;
/// Folders and modules that are not part of the running application.
const SKIPPED_FOLDERS: [&str; 7] = [
    "docs",
    "migrations",
    "node_modules",
    "scripts",
    "static",
    "test",
    "tests",
];
const SKIPPED_MODULES: [&str; 4] = ["conftest", "manage", "noxfile", "setup"];

/// Reads the modules in the folder of an application and in its packages.
///
/// # Errors
/// When the folder itself cannot be read.
pub(crate) fn read_modules(folder: &Path) -> Result<Vec<SourceModule>, FileError> {
    let mut reader = ModuleSearch {
        modules: Vec::new(),
    };
    reader.read(folder, "", DEPTH)?;
    reader
        .modules
        .sort_by(|one, other| one.name.cmp(&other.name));
    Ok(reader.modules)
}

struct ModuleSearch {
    modules: Vec<SourceModule>,
}

impl ModuleSearch {
    fn read(&mut self, folder: &Path, package: &str, depth: usize) -> Result<(), FileError> {
        for name in folders::list_names(folder, MODULE_LIMIT)? {
            let Some(name) = name.to_str() else {
                continue;
            };
            let path = folder.join(name);
            if let Some(stem) = name.strip_suffix(".py") {
                self.add(&path, package, stem);
            } else if depth > 1 && is_package(&path, name) {
                // A package that cannot be read has no object that gunicorn could use.
                let _ = self.read(&path, &join(package, name), depth - 1);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, package: &str, stem: &str) {
        let is_test = stem.starts_with("test_") || stem.ends_with("_test");
        if is_test || SKIPPED_MODULES.contains(&stem) || self.modules.len() >= MODULE_LIMIT {
            return;
        }
        let Ok(bytes) = files::read(path, SIZE_LIMIT) else {
            return;
        };
        let name = match stem {
            "__init__" => package.to_owned(),
            stem => join(package, stem),
        };
        if !name.is_empty() {
            self.modules.push(SourceModule {
                name,
                text: String::from_utf8_lossy(&bytes).replace("\r\n", "\n"),
            });
        }
    }
}

fn join(package: &str, name: &str) -> String {
    match package {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

/// Whether a folder may contain modules of the application: not a virtual environment.
fn is_package(path: &Path, name: &str) -> bool {
    let is_plain = !name.starts_with(['.', '_']) && !SKIPPED_FOLDERS.contains(&name);
    is_plain && folders::is_folder(path) && !files::exists(&path.join("pyvenv.cfg"))
}

#[cfg(test)]
mod tests {
    use super::read_modules;

    #[test]
    fn modules_of_packages_are_read_and_environments_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a = 1\r\n").unwrap();
        };
        for path in [
            "app.py",
            "manage.py",
            "test_app.py",
            "README",
            "shop/__init__.py",
            "shop/web/wsgi.py",
            "shop/web/deep/er.py",
            "tests/x.py",
            ".git/x.py",
            "venv/pyvenv.cfg",
            "venv/x.py",
        ] {
            write(path);
        }
        let modules = read_modules(folder.path()).unwrap();
        let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["app", "shop", "shop.web.wsgi"]);
        assert_eq!(modules[0].text, "a = 1\n");
        assert!(read_modules(&folder.path().join("app.py")).is_err());
    }
}
