//! The value of `--app`: `DIR` or `DIR:MODULE:OBJECT`.

use std::path::PathBuf;

/// The folder of an application, and the object that answers requests, if that is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApplicationArgument {
    pub folder: PathBuf,
    pub object: Option<ObjectPath>,
}

/// An object in a Python module, as gunicorn names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct ObjectPath {
    /// `shop.wsgi`
    pub module: String,
    /// `application`, or `create_app()` for a function that returns it.
    pub object: String,
}

impl ObjectPath {
    /// `shop.wsgi:application`
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        format!("{}:{}", self.module, self.object)
    }
}

impl ApplicationArgument {
    /// Parses the value of `--app`.
    ///
    /// # Errors
    /// The reason, where module or object are no Python names.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a folder, or one with the object that answers requests, such \
            as /srv/shop:shop.wsgi:application";
        let Some((folder, object)) = text.split_once(':') else {
            return Ok(Self {
                folder: PathBuf::from(text),
                object: None,
            });
        };
        let Some((module, object)) = object.split_once(':') else {
            return Err(EXPECTED.to_owned());
        };
        let name = object.strip_suffix("()").unwrap_or(object);
        if folder.is_empty() || !module.split('.').all(is_identifier) || !is_identifier(name) {
            return Err(EXPECTED.to_owned());
        }
        Ok(Self {
            folder: PathBuf::from(folder),
            object: Some(ObjectPath {
                module: module.to_owned(),
                object: object.to_owned(),
            }),
        })
    }
}

/// Whether a text is a Python name, of the letters that every configuration accepts.
#[must_use]
pub(crate) fn is_identifier(text: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_start) && text.chars().all(|c| is_start(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::ApplicationArgument;

    #[test]
    fn an_object_has_a_module_and_a_name() {
        for (text, object) in [
            ("/srv/app", Some("")),
            ("/srv/app:wsgi:app", Some("wsgi:app")),
            ("/srv/app:a.b:create_app()", Some("a.b:create_app()")),
            ("/srv/app:wsgi", None),
            ("/srv/app:wsgi:app:x", None),
            ("/srv/app:a..b:app", None),
            ("/srv/app:wsgi:app; x", None),
            ("/srv/app:wsgi:create_app(1)", None),
            (":wsgi:app", None),
        ] {
            let parsed = ApplicationArgument::parse(text).ok();
            let found = parsed.map(|argument| {
                let object = argument.object.as_ref();
                object.map_or(String::new(), super::ObjectPath::in_words)
            });
            assert_eq!(found.as_deref(), object, "{text}");
        }
    }
}
