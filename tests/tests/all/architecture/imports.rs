//! The imports between the files of the server, as its syntax tells them: `use`, and paths that are written out.
//!
//! What a file imports belongs to the file in which the path's last module is; of a folder that is its `mod.rs`. Tests
//! within a file do not count, nor does the name of a module by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, UseTree};

/// A module's path within the crate.
type Module = Vec<String>;

/// Files by their modules, and what each imports from others: file, and name.
#[derive(Debug)]
pub(super) struct Imports(BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>);

impl Imports {
    /// Of a crate with its sources in a folder.
    pub(super) fn of(folder: &Path, files: &[std::path::PathBuf]) -> Self {
        let files: BTreeMap<Module, _> = files
            .iter()
            .map(|file| (module(file.strip_prefix(folder).expect("in the folder")), file))
            .filter(|(module, _)| module.last().is_none_or(|last| last != "tests"))
            .collect();
        let modules: BTreeSet<Module> = files.keys().cloned().collect();
        let imports = files.into_iter().map(|(module, file)| {
            let text = fs::read_to_string(file).expect("a source file");
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let mut names = Names::default();
            names.visit_file(&syntax);
            let imports = names.resolved(&module, &modules);
            (module, imports)
        });
        Self(imports.collect())
    }

    /// Each import: from which file, which file's, and the name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Module, &Module, &BTreeSet<String>)> {
        self.0.iter().flat_map(|(from, of)| of.iter().map(move |(to, names)| (from, to, names)))
    }

    /// The modules: the files and folders directly in the crate.
    pub(super) fn modules(&self) -> BTreeSet<&str> {
        self.0.keys().filter_map(|module| module.first()).map(String::as_str).collect()
    }

    /// The imports that run in circles, or from one circle to another.
    pub(super) fn in_circles(&self) -> Vec<String> {
        let mut left: BTreeSet<(&Module, &Module)> = self.all().map(|(from, to, _)| (from, to)).collect();
        loop {
            let (from, to): (BTreeSet<_>, BTreeSet<_>) = left.iter().copied().unzip();
            let before = left.len();
            left.retain(|(one, other)| to.contains(one) && from.contains(other));
            if left.len() == before {
                return left.into_iter().map(|(one, other)| self.told(one, other)).collect();
            }
        }
    }

    fn told(&self, from: &Module, to: &Module) -> String {
        format!("{} takes {:?} from {}", from.join("::"), self.0[from][to], to.join("::"))
    }
}

/// `session/mod.rs` and `session.rs` are `session`; `lib.rs` is the crate itself.
fn module(file: &Path) -> Module {
    let path = file.with_extension("");
    let mut module: Module = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    module.pop_if(|last| last == "mod" || last == "lib");
    module
}

/// The names that a file uses: paths of `use`, each with the name it has here, and other paths.
#[derive(Default)]
struct Names {
    imported: Vec<(Vec<String>, String)>,
    used: Vec<Vec<String>>,
}

impl Names {
    fn tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.tree(&part.tree, path);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path.clone())),
            UseTree::Name(name) if name.ident == "self" => {
                let name = path.last().cloned().unwrap_or_default();
                self.imported.push((path, name));
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.imported.push((path, name.ident.to_string()));
            }
            UseTree::Rename(renamed) => {
                path.push(renamed.ident.to_string());
                self.imported.push((path, renamed.rename.to_string()));
            }
            _ => {
                path.push("*".to_owned());
                self.imported.push((path, String::new()));
            }
        }
    }

    /// What this file imports from other files of the crate.
    fn resolved(&self, own: &Module, modules: &BTreeSet<Module>) -> BTreeMap<Module, BTreeSet<String>> {
        let absolute = |path: &[String], known: &HashMap<&str, Module>| -> Option<Module> {
            let (first, rest) = path.split_first()?;
            let ups = path.iter().take_while(|part| *part == "super").count();
            let (start, rest) = match first.as_str() {
                "crate" | "visitflow_server" => (Vec::new(), rest),
                "self" => (own.clone(), rest),
                "super" => (own[..own.len() - ups].to_vec(), &path[ups..]),
                name => match known.get(name) {
                    Some(module) => (module.clone(), rest),
                    None => (own.clone(), path),
                },
            };
            let whole = [start.as_slice(), rest].concat();
            // A path that begins with anything else names another crate, or what is in this file.
            let is_ours = rest.len() < path.len() || modules.contains(&whole[..=own.len()]);
            is_ours.then_some(whole)
        };
        let mut imports: BTreeMap<Module, BTreeSet<String>> = BTreeMap::new();
        let mut note = |path: &Module| {
            let of = (0..=path.len()).rev().find(|length| modules.contains(&path[..*length])).unwrap_or(0);
            let (module, name) = path.split_at(of);
            if module != own && !name.is_empty() {
                imports.entry(module.to_vec()).or_default().insert(name.join("::"));
            }
        };
        let mut known = HashMap::new();
        for (path, name) in &self.imported {
            let Some(path) = absolute(path, &HashMap::new()) else { continue };
            note(&path);
            if modules.contains(&path) {
                known.insert(name.as_str(), path);
            }
        }
        self.used.iter().filter_map(|path| absolute(path, &known)).for_each(|path| note(&path));
        imports
    }
}

impl Visit<'_> for Names {
    fn visit_item(&mut self, item: &Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &syn::Path) {
        if path.segments.len() > 1 {
            self.used.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    /// The tokens of a macro are no syntax yet: paths are what looks like one.
    fn visit_macro(&mut self, called: &Macro) {
        let text = called.tokens.to_string().replace(" :: ", "::");
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let paths = paths.filter(|path| path.contains("::"));
        self.used.extend(paths.map(|path| path.split("::").map(str::to_owned).collect()));
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
}
