use ioenv::vault::{
    At, Blobs, Custody, LevelScope, NewEntry, NewEnvironment, NewProject, NewTarget, OpenedLevel, OrganizationId,
    Session,
};
use ioenv::{Document, ErrorKind, Kind, Layer, LevelPath, SealedBlob, Slug, VarName};

use super::{Levels, NewValue, no_such_entry};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// The levels of one organization of a vault.
pub(crate) struct VaultLevels<'a> {
    project: &'a Project,
    pub(crate) access: Access,
    pub(crate) organization: OrganizationId,
}

impl<'a> VaultLevels<'a> {
    pub(crate) fn open(project: &'a Project) -> Result<Self> {
        let access = Access::open(project)?;
        let organization = access.organization()?;
        Ok(Self::of(project, access, organization))
    }

    pub(crate) fn of(project: &'a Project, access: Access, organization: OrganizationId) -> Self {
        Self { project, access, organization }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        self.access.session()
    }

    pub(crate) fn blobs(&self, path: &LevelPath) -> Result<Blobs> {
        Ok(self.session().blobs(At::Path(self.organization, path)).map_err(|error| hint(path, error))?)
    }

    /// Writes a level whose key the vault does not hold. `content` says what, from what is there; it may be called
    /// again, for another of the keys at hand, or because somebody else has written meanwhile.
    pub(crate) fn write_client(
        &self,
        path: &LevelPath,
        content: impl Fn(&OpenedLevel<'_>) -> Result<SealedBlob>,
    ) -> Result {
        let written = self.session().write_level(At::Path(self.organization, path), &self.project.keys()?, content);
        written.map_err(|error| match error.downcast::<ioenv::Error>() {
            Ok(error) => hint(path, *error).into(),
            Err(error) => error,
        })
    }

    /// The same for a change of the document.
    fn change_client(&self, path: &LevelPath, change: impl Fn(&mut Document) -> Result) -> Result {
        self.write_client(path, |level| {
            let mut document = level.document().clone();
            change(&mut document)?;
            Ok(level.seal(&document)?)
        })
    }

    /// Makes what is missing of a path; `is_target` says what stands right below the project where nothing else does.
    /// Tells whether anything was.
    pub(crate) fn create(&self, path: &LevelPath, is_target: bool, new: &NewProject) -> Result<bool> {
        let (session, organization) = (self.session(), self.organization);
        let slugs: Vec<Slug> = path.segments().map(str::parse).collect::<std::result::Result<_, _>>()?;
        // Looked for first: who may make an environment need not be allowed to make its project.
        let mut is_new = match session.project(At::Path(organization, &LevelPath::from(&slugs[0]))) {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            // Who may not look at it may have it all the same, and make something in it.
            Err(error) if error.kind() == ErrorKind::Denied => slugs.len() == 1,
            Err(error) => return Err(error.into()),
        };
        if is_new {
            session.create_project(organization, new)?;
        }
        let chain: Vec<LevelPath> = path.chain().collect();
        for (depth, slug) in slugs.iter().enumerate().skip(1) {
            let level = &chain[depth];
            if session.target(At::Path(organization, level)).is_ok()
                || session.environment(At::Path(organization, level)).is_ok()
            {
                continue;
            }
            is_new = true;
            if depth == 1 && (slugs.len() > 2 || is_target) {
                let target = NewTarget::new(slug.as_str()).slug(slug.clone());
                session.create_target(At::Path(organization, &LevelPath::from(&slugs[0])), &target)?;
            } else {
                let mut environment = NewEnvironment::new(slug.as_str()).slug(slug.clone());
                if matches!(slug.as_str(), "prod" | "production") {
                    environment = environment.status("production");
                }
                session.create_environment(At::Path(organization, &chain[depth - 1]), &environment)?;
            }
        }
        Ok(is_new)
    }
}

/// Says of what is missing how to make it.
pub(crate) fn hint(path: &LevelPath, error: ioenv::Error) -> ioenv::Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let message = format!(
        "there is no level {path} in the vault, or it is outside of what this token may see; make it with \
         `ioenv vault create {path}`"
    );
    ioenv::Error::new(ErrorKind::NotFound, message)
}

/// The same where an environment is meant: a project or a target of that path may be there.
pub(crate) fn environment_hint(path: &LevelPath, error: ioenv::Error) -> ioenv::Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let message = format!(
        "there is no environment {path} in the vault, or it is outside of what this token may see: name an \
         environment, such as `ioenv tree --source vault` shows"
    );
    ioenv::Error::new(ErrorKind::NotFound, message)
}

fn is_client_managed<T>(result: &ioenv::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == ErrorKind::ClientManaged)
}

impl Levels for VaultLevels<'_> {
    fn layers(&self, path: &LevelPath) -> Result<Vec<Layer>> {
        let content = self.session().read_level(At::Path(self.organization, path), LevelScope::Chain);
        if is_client_managed(&content) {
            return Ok(self.blobs(path)?.open(&self.project.keys()?)?);
        }
        Ok(content.map_err(|error| hint(path, error))?.into_layers())
    }

    fn own(&self, path: &LevelPath) -> Result<Document> {
        let content = self.session().read_level(At::Path(self.organization, path), LevelScope::Own);
        if is_client_managed(&content) {
            let mut blobs = self.blobs(path)?;
            blobs.levels.drain(..blobs.levels.len() - 1);
            let own = blobs.open(&self.project.keys()?)?;
            return Ok(own.first().map(|layer| layer.document().clone()).unwrap_or_default());
        }
        Ok(content.map_err(|error| hint(path, error))?.into_document().unwrap_or_default())
    }

    fn tree(&self) -> Result<Vec<(LevelPath, String)>> {
        let (session, organization) = (self.session(), self.organization);
        let mut tree = Vec::new();
        for project in session.projects(organization)? {
            let path = LevelPath::new(&project.slug)?;
            let custody = match project.custody {
                Custody::Client => "(project, its key is not in the vault)",
                Custody::Server => "(project)",
            };
            tree.push((path.clone(), custody.to_owned()));
            let mut parents = vec![path.clone()];
            for target in session.targets(At::Path(organization, &project.slug.parse()?))? {
                let path = path.join(&target.slug)?;
                tree.push((path.clone(), "(target)".to_owned()));
                parents.push(path);
            }
            for parent in parents {
                // `_base` is the project itself.
                let environments = session.environments(At::Path(organization, &parent))?;
                for environment in environments.into_iter().filter(|environment| environment.slug != "_base") {
                    let path = parent.join(&environment.slug)?;
                    tree.push((path, format!("({})", environment.status)));
                }
            }
        }
        Ok(tree)
    }

    fn import(&self, path: &LevelPath, imported: Document, replace: bool) -> Result<String> {
        let count = imported.len();
        let (session, organization) = (self.session(), self.organization);
        let written = if replace {
            session.set_document(At::Path(organization, path), &imported).map(|()| String::new())
        } else if imported.is_empty() {
            return Ok("0 added".to_owned());
        } else {
            let entries: Vec<NewEntry> = imported
                .entries()
                .iter()
                .map(|entry| {
                    NewEntry::from(entry)
                        .given(Some(entry.kind()).filter(|kind| *kind == Kind::Variable), NewEntry::kind)
                        .given(entry.comment(), NewEntry::comment)
                })
                .collect();
            let set = session.set_entries(At::Path(organization, path), &entries);
            set.map(|set| format!("{} added, {} set", set.created.len(), set.updated.len()))
        };
        if is_client_managed(&written) {
            self.change_client(path, |document| {
                if replace {
                    *document = imported.clone();
                } else {
                    document.update(imported.clone());
                }
                Ok(())
            })?;
            return Ok(format!("{count} set"));
        }
        Ok(written.map_err(|error| hint(path, error))?)
    }

    fn set(&self, path: &LevelPath, new: &NewValue) -> Result {
        let entry = NewEntry::new(new.name.clone(), new.value.clone()).given(new.kind, NewEntry::kind);
        let entry = if new.is_literal { entry.literal() } else { entry };
        let set = self.session().set_entries(At::Path(self.organization, path), &[entry]);
        if is_client_managed(&set) {
            return self.change_client(path, |document| Ok(new.apply(document)?));
        }
        set.map_err(|error| hint(path, error))?;
        Ok(())
    }

    fn unset(&self, path: &LevelPath, names: &[VarName]) -> Result {
        let (session, organization) = (self.session(), self.organization);
        let there = session.entry_metadata(At::Path(organization, path));
        if is_client_managed(&there) {
            return self.change_client(path, |document| {
                match names.iter().find(|name| !document.remove(name.as_str())) {
                    Some(missing) => Err(no_such_entry(path, missing).into()),
                    None => Ok(()),
                }
            });
        }
        let there = there.map_err(|error| hint(path, error))?;
        if let Some(missing) = names.iter().find(|name| !there.iter().any(|entry| entry.name == **name)) {
            return Err(no_such_entry(path, missing).into());
        }
        session.delete_entries(At::Path(organization, path), names)?;
        Ok(())
    }

    fn remove(&self, path: &LevelPath, _force: bool) -> Result {
        self.session().delete_level(At::Path(self.organization, path)).map_err(|error| hint(path, error))?;
        terminal::note(format!("{path} says nothing any more; `ioenv vault restore {path}` brings it back"));
        Ok(())
    }
}
