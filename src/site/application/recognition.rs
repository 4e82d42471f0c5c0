//! Finds the object of an application that answers requests, from its source: the code is not run.

use super::argument::{ObjectPath, is_identifier};
use super::python_source::{PythonStatement, statements};

/// How a server calls an application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WebInterface {
    /// Asynchronous (asgi.readthedocs.io).
    Asgi,
    /// One call for each request (PEP 3333).
    Wsgi,
}

impl WebInterface {
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Asgi => "ASGI",
            Self::Wsgi => "WSGI",
        }
    }
}

/// A Python web framework.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct WebFramework {
    pub name: &'static str,
    /// The class or function that makes the object.
    constructor: &'static str,
    pub interface: WebInterface,
    /// Its package at PyPI.
    pub package: &'static str,
}

const fn framework(
    name: &'static str,
    constructor: &'static str,
    interface: WebInterface,
    package: &'static str,
) -> WebFramework {
    WebFramework {
        name,
        constructor,
        interface,
        package,
    }
}

/// The frameworks that are recognized.
static FRAMEWORKS: [WebFramework; 12] = {
    use WebInterface::{Asgi, Wsgi};
    [
        framework("Flask", "flask.Flask", Wsgi, "flask"),
        framework("FastAPI", "fastapi.FastAPI", Asgi, "fastapi"),
        framework(
            "Starlette",
            "starlette.applications.Starlette",
            Asgi,
            "starlette",
        ),
        framework(
            "Django",
            "django.core.wsgi.get_wsgi_application",
            Wsgi,
            "django",
        ),
        framework(
            "Django",
            "django.core.asgi.get_asgi_application",
            Asgi,
            "django",
        ),
        framework("Quart", "quart.Quart", Asgi, "quart"),
        framework("Litestar", "litestar.Litestar", Asgi, "litestar"),
        framework("Falcon", "falcon.App", Wsgi, "falcon"),
        framework("Falcon", "falcon.asgi.App", Asgi, "falcon"),
        framework("Bottle", "bottle.Bottle", Wsgi, "bottle"),
        framework("Bottle", "bottle.default_app", Wsgi, "bottle"),
        framework("Sanic", "sanic.Sanic", Asgi, "sanic"),
    ]
};

/// A module of an application.
#[derive(Clone, Debug)]
pub(crate) struct SourceModule {
    /// `shop.wsgi`
    pub name: String,
    pub text: String,
}

/// An object that answers requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecognizedObject {
    pub path: ObjectPath,
    pub interface: WebInterface,
    /// `None` for a function or class of the application itself.
    pub framework: Option<&'static WebFramework>,
}

impl RecognizedObject {
    /// `Flask application shop.wsgi:app`
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        let interface = self.interface.name();
        let kind = self.framework.map_or(interface, |framework| framework.name);
        format!("{kind} application {}", self.path.in_words())
    }
}

/// What the source of an application shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Recognition {
    Found(RecognizedObject),
    Nothing,
    /// Several objects, and only the user knows which.
    Several(Vec<RecognizedObject>),
}

impl Recognition {
    /// Finds the object that answers requests.
    #[must_use]
    pub(crate) fn of(modules: &[SourceModule]) -> Self {
        let mut found = Vec::new();
        for module in modules {
            found.extend(objects_of(module));
        }
        let has_direct = found.iter().any(|object| !is_factory(object));
        found.retain(|object| !has_direct || !is_factory(object));
        drop_asgi_twins(&mut found);
        match found.len() {
            0 => Self::Nothing,
            1 => Self::Found(found.remove(0)),
            _ => Self::Several(found),
        }
    }
}

/// Determines how a server calls this object; one that is not recognized counts as WSGI, which the
/// answer of the application confirms or refutes.
#[must_use]
pub(crate) fn recognize_object(modules: &[SourceModule], path: &ObjectPath) -> RecognizedObject {
    let mut of_module = Vec::new();
    for module in modules {
        if module.name == path.module {
            of_module.extend(objects_of(module));
        }
    }
    let exact = of_module.iter().find(|object| object.path == *path);
    // An object that is imported or made in another way is of the framework that the module uses.
    let known = exact.or_else(|| of_module.first());
    let known = known.cloned().or_else(|| imported(modules, path));
    RecognizedObject {
        path: path.clone(),
        interface: known
            .as_ref()
            .map_or(WebInterface::Wsgi, |known| known.interface),
        framework: known.and_then(|known| known.framework),
    }
}

/// The object that a module imports under this name.
fn imported(modules: &[SourceModule], path: &ObjectPath) -> Option<RecognizedObject> {
    let module = modules.iter().find(|module| module.name == path.module)?;
    let name = path.object.trim_end_matches("()");
    let mut imports = PythonImports::default();
    for statement in statements(&module.text) {
        imports.read(&statement.text);
    }
    let meaning = imports.resolve(name)?;
    let (source, object) = meaning.rsplit_once('.')?;
    let from = modules.iter().find(|module| module.name == source)?;
    let mut objects = objects_of(from).into_iter();
    objects.find(|found| found.path.object.trim_end_matches("()") == object)
}

fn is_factory(object: &RecognizedObject) -> bool {
    object.path.object.ends_with("()")
}

/// Django creates wsgi.py and asgi.py: both are the same application, and WSGI serves all of it.
fn drop_asgi_twins(found: &mut Vec<RecognizedObject>) {
    let is_django = |object: &RecognizedObject| {
        object
            .framework
            .is_some_and(|framework| framework.name == "Django")
    };
    let mut packages = Vec::new();
    for object in found.iter().filter(|object| is_django(object)) {
        if object.interface == WebInterface::Wsgi {
            packages.push(package_of(object).to_owned());
        }
    }
    found.retain(|object| {
        let is_twin = packages.iter().any(|package| package == package_of(object));
        object.interface == WebInterface::Wsgi || !is_django(object) || !is_twin
    });
}

fn package_of(object: &RecognizedObject) -> &str {
    let module = object.path.module.rsplit_once('.');
    module.map_or("", |(package, _)| package)
}

/// What the imports of a module bind to its names.
#[derive(Debug, Default)]
struct PythonImports {
    /// A name of the module, and what it stands for: `Flask`, `flask.Flask`.
    names: Vec<(String, String)>,
}

impl PythonImports {
    /// Reads a statement, if it is an import.
    fn read(&mut self, statement: &str) {
        if let Some(modules) = statement.strip_prefix("import ") {
            for part in modules.split(',') {
                let (name, alias) = split_alias(part);
                let first = name.split('.').next().unwrap_or_default();
                match alias {
                    Some(alias) => self.bind(alias, name),
                    None => self.bind(first, first),
                }
            }
        } else if let Some(rest) = statement.strip_prefix("from ")
            && let Some((module, names)) = rest.split_once(" import ")
        {
            for part in names.trim_matches(['(', ')', ' ']).split(',') {
                let (name, alias) = split_alias(part);
                let meaning = format!("{}.{name}", module.trim());
                self.bind(alias.unwrap_or(name), &meaning);
            }
        }
    }

    fn bind(&mut self, name: &str, meaning: &str) {
        if !name.is_empty() {
            self.names.push((name.to_owned(), meaning.to_owned()));
        }
    }

    /// Returns what a dotted name stands for; the last import of its first part counts.
    fn resolve(&self, dotted: &str) -> Option<String> {
        let (first, rest) = match dotted.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (dotted, None),
        };
        let bound = self.names.iter().rev().find(|(name, _)| name == first);
        let (_, meaning) = bound?;
        Some(match rest {
            Some(rest) => format!("{meaning}.{rest}"),
            None => meaning.clone(),
        })
    }

    /// The framework whose object a call of this function makes.
    fn framework_of(&self, function: &str) -> Option<&'static WebFramework> {
        let meaning = self.resolve(function)?;
        FRAMEWORKS
            .iter()
            .find(|framework| framework.constructor == meaning)
    }
}

fn split_alias(part: &str) -> (&str, Option<&str>) {
    match part.trim().split_once(" as ") {
        Some((name, alias)) => (name.trim(), Some(alias.trim())),
        None => (part.trim(), None),
    }
}

/// Reads the objects of one module.
fn objects_of(module: &SourceModule) -> Vec<RecognizedObject> {
    let mut reader = ModuleReader {
        module: &module.name,
        imports: PythonImports::default(),
        function: None,
        found: Vec::new(),
    };
    for statement in statements(&module.text) {
        reader.imports.read(&statement.text);
        reader.read(&statement);
    }
    reader.found
}

/// The first line of a function.
struct FunctionHead<'a> {
    name: &'a str,
    parameters: Vec<&'a str>,
    /// How a server would call it: a coroutine cannot be a WSGI application.
    kind: WebInterface,
}

impl<'a> FunctionHead<'a> {
    fn parse(statement: &'a str) -> Option<Self> {
        let (kind, definition) = match statement.strip_prefix("async ") {
            Some(rest) => (WebInterface::Asgi, rest),
            None => (WebInterface::Wsgi, statement),
        };
        let (name, rest) = definition.strip_prefix("def ")?.split_once('(')?;
        let (parameters, _) = rest.rsplit_once(')')?;
        let parameters = parameters.split(',').map(str::trim);
        is_identifier(name).then(|| Self {
            name,
            parameters: parameters.filter(|part| !part.is_empty()).collect(),
            kind,
        })
    }

    /// The interface of a function that is an application.
    fn interface(&self) -> Option<WebInterface> {
        let mut names = Vec::new();
        for parameter in &self.parameters {
            names.push(name_of(parameter));
        }
        match (names.as_slice(), self.kind) {
            (["scope", "receive", "send"], WebInterface::Asgi) => Some(WebInterface::Asgi),
            (["environ" | "env", "start_response"], WebInterface::Wsgi) => Some(WebInterface::Wsgi),
            _ => None,
        }
    }

    /// Whether it may be called without arguments, to return an application.
    fn makes_object(&self) -> bool {
        let is_optional = |part: &&str| part.contains('=') || part.starts_with('*');
        let is_private = self.name.starts_with('_') || self.name.starts_with("test");
        !is_private && self.kind == WebInterface::Wsgi && self.parameters.iter().all(is_optional)
    }
}

struct ModuleReader<'a> {
    module: &'a str,
    imports: PythonImports,
    /// The function of the module in which the statements are, if it can be called without arguments.
    function: Option<String>,
    found: Vec<RecognizedObject>,
}

impl ModuleReader<'_> {
    fn read(&mut self, statement: &PythonStatement) {
        let text = statement.text.as_str();
        if statement.indent == 0 {
            self.function = None;
            if let Some(function) = FunctionHead::parse(text) {
                self.define(&function);
                return;
            }
        }
        let Some((target, call)) = split_call(text) else {
            return;
        };
        let Some(framework) = self.imports.framework_of(call) else {
            return;
        };
        match (&self.function, statement.indent) {
            (_, 0) => {
                let target = target.to_owned();
                self.add(target, framework.interface, Some(framework));
            }
            (Some(function), 1..) => {
                let object = format!("{function}()");
                self.add(object, framework.interface, Some(framework));
                self.function = None;
            }
            _ => {}
        }
    }

    /// Reads the definition of a function: an application, or one that may return it.
    fn define(&mut self, function: &FunctionHead<'_>) {
        let name = function.name.to_owned();
        match function.interface() {
            Some(interface) => self.add(name, interface, None),
            None => self.function = function.makes_object().then_some(name),
        }
    }

    fn add(
        &mut self,
        object: String,
        interface: WebInterface,
        framework: Option<&'static WebFramework>,
    ) {
        let path = ObjectPath {
            module: self.module.to_owned(),
            object,
        };
        if !self.found.iter().any(|found| found.path == path) {
            self.found.push(RecognizedObject {
                path,
                interface,
                framework,
            });
        }
    }
}

/// The name of a parameter, without its type and default.
fn name_of(parameter: &str) -> &str {
    parameter
        .split([':', '='])
        .next()
        .unwrap_or_default()
        .trim()
}

/// `app = flask.Flask(...)` as `app` and `flask.Flask`.
fn split_call(statement: &str) -> Option<(&str, &str)> {
    let (target, value) = statement.split_once('=')?;
    let target = name_of(target);
    let (call, _) = value.trim().split_once('(')?;
    let is_dotted = call.split('.').all(is_identifier);
    (is_identifier(target) && is_dotted).then_some((target, call))
}

#[cfg(test)]
mod tests {
    use super::{ObjectPath, Recognition, SourceModule, recognize_object};

    fn modules(sources: &[(&str, &str)]) -> Vec<SourceModule> {
        let mut modules = Vec::new();
        for (name, text) in sources {
            modules.push(SourceModule {
                name: (*name).to_owned(),
                text: (*text).to_owned(),
            });
        }
        modules
    }

    fn recognized(sources: &[(&str, &str)]) -> String {
        match Recognition::of(&modules(sources)) {
            Recognition::Found(object) => object.in_words(),
            Recognition::Nothing => "nothing".to_owned(),
            Recognition::Several(objects) => {
                let objects: Vec<String> =
                    objects.iter().map(|found| found.path.in_words()).collect();
                objects.join(" ")
            }
        }
    }

    #[test]
    fn applications_are_recognized_without_running_them() {
        for (text, expected) in [
            (
                "from flask import Flask\napp = Flask(__name__)\n",
                "Flask application m:app",
            ),
            (
                "import flask as f\nsite: f.Flask = f.Flask(\n  'x')\n",
                "Flask application m:site",
            ),
            (
                "from fastapi import (APIRouter,\n  FastAPI as F)\nx = F()\n",
                "FastAPI application m:x",
            ),
            (
                "from starlette.applications import Starlette\napp = Starlette(routes=[])\n",
                "Starlette application m:app",
            ),
            (
                "import os\nfrom django.core.wsgi import get_wsgi_application\n\
                 os.environ.setdefault('A', 'b')\napplication = get_wsgi_application()\n",
                "Django application m:application",
            ),
            (
                "def application(environ, start_response):\n  pass\n",
                "WSGI application m:application",
            ),
            (
                "async def app(scope: dict, receive, send):\n  pass\n",
                "ASGI application m:app",
            ),
            (
                "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n",
                "Flask application m:create_app()",
            ),
            (
                "def create_app(*, a=1, **rest):\n    from flask import Flask\n    app = Flask(__name__)\n",
                "Flask application m:create_app()",
            ),
            (
                "from flask import Flask\ndef create_app(config):\n    app = Flask(__name__)\n    return app\n",
                "nothing",
            ),
            (
                "from flask import Flask\n# app = Flask(__name__)\n'''\napp = Flask(1)\n'''\n",
                "nothing",
            ),
            ("from mine import Flask\napp = Flask(__name__)\n", "nothing"),
            ("app = Flask(__name__)\n", "nothing"),
            ("def f(a, b):\n  pass\nclass A:\n  app = 1\n", "nothing"),
            (
                "from fastapi import FastAPI\napp = FastAPI()\napi = FastAPI()\n",
                "m:app m:api",
            ),
        ] {
            assert_eq!(recognized(&[("m", text)]), expected, "{text}");
        }
    }

    #[test]
    fn an_object_is_preferred_to_a_function_and_wsgi_to_asgi() {
        let factory = "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    return app\n";
        let direct = "from flask import Flask\napp = Flask(__name__)\n";
        let found = recognized(&[("a", factory), ("b", direct)]);
        assert_eq!(found, "Flask application b:app");
        let wsgi = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n";
        let asgi = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n";
        let found = recognized(&[("p.asgi", asgi), ("p.wsgi", wsgi)]);
        assert_eq!(found, "Django application p.wsgi:application");
        let found = recognized(&[("p.asgi", asgi), ("q.wsgi", wsgi)]);
        assert_eq!(found, "p.asgi:application q.wsgi:application");
    }

    #[test]
    fn a_given_object_is_called_as_its_source_says() {
        let sources = modules(&[
            ("wsgi", "from shop.main import app as application\n"),
            (
                "shop.main",
                "from fastapi import FastAPI\napp = FastAPI()\n",
            ),
            ("odd", "application = make()\n"),
        ]);
        let interface = |module: &str, object: &str| {
            let path = ObjectPath {
                module: module.to_owned(),
                object: object.to_owned(),
            };
            recognize_object(&sources, &path).interface.name()
        };
        assert_eq!(interface("wsgi", "application"), "ASGI");
        assert_eq!(interface("shop.main", "app"), "ASGI");
        assert_eq!(interface("shop.main", "other"), "ASGI");
        assert_eq!(interface("odd", "application"), "WSGI");
        assert_eq!(interface("missing", "application"), "WSGI");
    }
}
