use crate::core::custody::Custody;
use crate::core::id::OrganizationId;
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::declare::apply::{Apply, Owner, at, describes, differs, find};
use crate::vault::declare::model::Key;
use crate::vault::declare::{StepKind, model};
use crate::vault::environment::{BUILTIN, Environment, EnvironmentUpdate, NewEnvironment, PRODUCTION, keeps_its_name};
use crate::vault::key::NewKey;
use crate::vault::organization::{NewOrganization, Organization, OrganizationUpdate};
use crate::vault::place::At;
use crate::vault::project::{NewProject, Project, ProjectUpdate};
use crate::vault::session::Session;
use crate::vault::slug::{BASE, SlugRule, slug_of};
use crate::vault::target::{NewTarget, Target, TargetUpdate};

/// Where something is declared, and where it is; the two differ in a plan that would change a slug.
pub(super) struct Spot {
    pub(super) declared: LevelPath,
    /// None, in a plan that would make it.
    pub(super) there: Option<LevelPath>,
}

impl Spot {
    fn of(slug: &Slug, there: Option<&str>) -> Result<Self> {
        Ok(Self { declared: slug.into(), there: there.map(LevelPath::new).transpose()? })
    }

    fn below(&self, slug: &Slug, there: Option<&str>) -> Result<Self> {
        let there = self.there.as_ref().zip(there).map(|(above, slug)| above.join(slug)).transpose()?;
        Ok(Self { declared: self.declared.join(slug.as_str())?, there })
    }
}

impl Apply<'_, '_> {
    /// Tells its id, unless it would have to be made.
    pub(super) fn organization(
        &mut self,
        declared: &model::Organization,
        there: &[Organization],
    ) -> Result<Option<OrganizationId>> {
        let found = find(there, declared.id, |one| one.id, |one| one.slug == declared.slug)?;
        let slug: Slug = declared.slug.parse()?;
        let owner = Owner { declared, id: found.map(|one| one.id) };
        let mut step = owner.step(StepKind::Organization, &declared.name);
        let now = match found {
            Some(found) => found.clone(),
            None if self.is_plan => {
                self.tell(step.id(declared.id).created())?;
                return Ok(None);
            }
            None => {
                step = step.created();
                let mut new = NewOrganization::new(declared.name.as_str());
                new.id = declared.id;
                new.slug = Some(slug.clone());
                new.tier = declared.plan.unwrap_or_default();
                self.session.create_organization(&new)?
            }
        };
        let mut fields = Vec::new();
        let days = declared.version_retention_days.as_ref();
        let update = OrganizationUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            slug: differs(&mut fields, "slug", Some(&declared.slug), &now.slug).map(|_| slug),
            tier: differs(&mut fields, "plan", declared.plan.as_ref(), &now.tier),
            status: differs(&mut fields, "status", declared.status.as_ref(), &now.status),
            version_retention_days: differs(&mut fields, "version_retention_days", days, &now.version_retention_days),
        };
        if !fields.is_empty() && !self.is_plan {
            self.session.update_organization(now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))?;
        Ok(Some(now.id))
    }

    pub(super) fn projects(&mut self, owner: &Owner<'_>) -> Result<()> {
        let there = self.listed(owner, Session::projects)?;
        for declared in &owner.declared.projects {
            let spot = at(declared.at, self.project(owner, declared, &there))?;
            let is_to_come = spot.there.is_none() && declared.base;
            self.note(&spot);
            self.entries(owner, &spot, &declared.entries)?;
            let targets = match (owner.id, &spot.there) {
                (Some(id), Some(path)) => self.session.targets(At::Path(id, &path.project().parse()?))?,
                _ => Vec::new(),
            };
            for declared in &declared.targets {
                let spot = at(declared.at, self.target(owner, declared, &spot, &targets))?;
                self.note(&spot);
                self.entries(owner, &spot, &declared.entries)?;
                self.environments(owner, &declared.environments, &spot, false)?;
            }
            self.environments(owner, &declared.environments, &spot, is_to_come)?;
        }
        Ok(())
    }

    /// Remembers what a plan would move.
    fn note(&mut self, spot: &Spot) {
        if let Some(there) = spot.there.as_ref().filter(|there| self.is_plan && **there != spot.declared) {
            self.moved.insert(spot.declared.clone(), there.clone());
        }
    }

    fn project(&mut self, owner: &Owner<'_>, declared: &model::Project, there: &[Project]) -> Result<Spot> {
        let found = find(there, declared.id, |one| one.id, |one| one.slug == declared.slug.as_str())?;
        let step = owner.step(StepKind::Project, &declared.name).at(&(&declared.slug).into());
        let Some(organization) = owner.id.filter(|_| found.is_some() || !self.is_plan) else {
            self.tell(step.id(declared.id).created())?;
            return Spot::of(&declared.slug, None);
        };
        let (step, now) = match found {
            Some(found) => (step, found.clone()),
            None => (step.created(), self.session.create_project(organization, &new_project(declared)?)?),
        };
        let custody = match declared.key {
            Key::Client { .. } => Custody::Client,
            Key::Server { .. } => Custody::Server,
        };
        if (now.custody, now.has_base) != (custody, declared.base) {
            let message = "a declaration changes neither the custody of a project's key nor whether it has a `base`";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let mut fields = Vec::new();
        let update = ProjectUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            slug: differs(&mut fields, "slug", Some(&declared.slug.to_string()), &now.slug)
                .map(|_| declared.slug.clone()),
            slug_rule: SlugRule::Any,
            description: describes(&mut fields, declared.description.as_ref(), now.description.as_ref()),
            secret_format: differs(&mut fields, "secret_format", declared.secret_format.as_ref(), &now.secret_format),
            versioning: differs(&mut fields, "versioning", declared.versioning.as_ref(), &now.versioning),
            ..ProjectUpdate::new()
        };
        let mut slug = now.slug.clone();
        if !fields.is_empty() && !self.is_plan {
            slug = self.session.update_project(At::Path(organization, &slug.parse()?), &update)?.slug;
        }
        let mut step = step.id(Some(now.id)).changed(fields);
        if found.is_none()
            && let Key::Server { tell: true, .. } = declared.key
            && let Some(key) = self.session.key(At::Path(organization, &slug.parse()?))?.text
        {
            step = step.credential(key);
        }
        self.tell(step)?;
        Spot::of(&declared.slug, Some(&slug))
    }

    fn target(
        &mut self,
        owner: &Owner<'_>,
        declared: &model::Target,
        project: &Spot,
        there: &[Target],
    ) -> Result<Spot> {
        let found = find(there, declared.id, |one| one.id, |one| one.slug == declared.slug.as_str())?;
        let declared_at = project.below(&declared.slug, None)?.declared;
        let step = owner.step(StepKind::Target, &declared.name).at(&declared_at);
        let Some((organization, parent)) =
            owner.id.zip(project.there.as_ref()).filter(|_| found.is_some() || !self.is_plan)
        else {
            self.tell(step.id(declared.id).created())?;
            return project.below(&declared.slug, None);
        };
        let (step, now) = match found {
            Some(found) => (step, found.clone()),
            None => {
                let mut new = NewTarget::new(declared.name.as_str());
                new.id = declared.id;
                new.slug = Some(declared.slug.clone());
                new.description.clone_from(&declared.description);
                (step.created(), self.session.create_target(At::Path(organization, &parent.project().parse()?), &new)?)
            }
        };
        let mut fields = Vec::new();
        let update = TargetUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            slug: differs(&mut fields, "slug", Some(&declared.slug.to_string()), &now.slug)
                .map(|_| declared.slug.clone()),
            description: describes(&mut fields, declared.description.as_ref(), now.description.as_ref()),
        };
        let mut slug = now.slug.clone();
        if !fields.is_empty() && !self.is_plan {
            let path = parent.join(&slug)?;
            slug = self.session.update_target(At::Path(organization, &path), &update)?.slug;
        }
        self.tell(step.id(Some(now.id)).changed(fields))?;
        project.below(&declared.slug, Some(&slug))
    }

    /// With `is_to_come`, a plan would make the project above, and with it those that are built in.
    fn environments(
        &mut self,
        owner: &Owner<'_>,
        declared: &[model::Environment],
        parent: &Spot,
        is_to_come: bool,
    ) -> Result<()> {
        if declared.is_empty() {
            return Ok(());
        }
        let mut there = match (owner.id, &parent.there) {
            (Some(id), Some(path)) => self.session.environments(At::Path(id, path))?,
            _ => Vec::new(),
        };
        // It is the project's own level, where the project itself is declared.
        there.retain(|environment| environment.slug != BASE);
        for declared in declared {
            let builtin = BUILTIN.iter().find(|(slug, _)| is_to_come && *slug == declared.slug.as_str());
            let spot = match builtin {
                Some((_, status)) => at(declared.at, self.builtin(owner, declared, parent, status))?,
                None => at(declared.at, self.environment(owner, declared, parent, &there))?,
            };
            self.note(&spot);
            self.entries(owner, &spot, &declared.entries)?;
        }
        Ok(())
    }

    /// Plans one that comes with its project.
    fn builtin(
        &mut self,
        owner: &Owner<'_>,
        declared: &model::Environment,
        above: &Spot,
        status: &str,
    ) -> Result<Spot> {
        let spot = above.below(&declared.slug, None)?;
        if declared.name != declared.slug.as_str() {
            return Err(keeps_its_name());
        }
        let (_, fields) =
            compared(declared, (&declared.name, declared.slug.as_str()), None, status, status == PRODUCTION);
        let step = owner.step(StepKind::Environment, &declared.name).at(&spot.declared);
        self.tell(step.id(declared.id).changed(fields))?;
        Ok(spot)
    }

    fn environment(
        &mut self,
        owner: &Owner<'_>,
        declared: &model::Environment,
        above: &Spot,
        there: &[Environment],
    ) -> Result<Spot> {
        let found = find(there, declared.id, |one| one.id, |one| one.slug == declared.slug.as_str())?;
        let declared_at = above.below(&declared.slug, None)?.declared;
        let step = owner.step(StepKind::Environment, &declared.name).at(&declared_at);
        let Some((organization, parent)) =
            owner.id.zip(above.there.as_ref()).filter(|_| found.is_some() || !self.is_plan)
        else {
            self.tell(step.id(declared.id).created())?;
            return above.below(&declared.slug, None);
        };
        let (step, now) = match found {
            Some(found) => (step, found.clone()),
            None => {
                let mut new = NewEnvironment::new(declared.name.as_str());
                new.id = declared.id;
                new.slug = Some(declared.slug.clone());
                new.slug_rule = SlugRule::Any;
                new.description.clone_from(&declared.description);
                new.status.clone_from(&declared.status);
                new.is_production = declared.production;
                (step.created(), self.session.create_environment(At::Path(organization, parent), &new)?)
            }
        };
        let description = now.description.as_ref();
        let is = (now.name.as_str(), now.slug.as_str());
        let (mut update, fields) = compared(declared, is, description, &now.status, now.is_production);
        let mut slug = now.slug.clone();
        if !fields.is_empty() && !self.is_plan {
            // A new status may say so, too.
            update.is_production = update.is_production.or(declared.production);
            let path = parent.join(&slug)?;
            slug = self.session.update_environment(At::Path(organization, &path), &update)?.slug;
        }
        self.tell(step.id(Some(now.id)).changed(fields))?;
        above.below(&declared.slug, Some(&slug))
    }
}

/// The update that makes an environment what is declared, and the fields that it changes.
fn compared(
    declared: &model::Environment,
    (name, slug): (&str, &str),
    description: Option<&String>,
    status: &str,
    is_production: bool,
) -> (EnvironmentUpdate, Vec<&'static str>) {
    let mut fields = Vec::new();
    let declared_status = declared.status.as_ref().map(|status| slug_of(status));
    let update = EnvironmentUpdate {
        name: differs(&mut fields, "name", Some(&declared.name), &name.to_owned()),
        slug: differs(&mut fields, "slug", Some(&declared.slug.to_string()), &slug.to_owned())
            .map(|_| declared.slug.clone()),
        slug_rule: SlugRule::Any,
        description: describes(&mut fields, declared.description.as_ref(), description),
        status: differs(&mut fields, "status", declared_status.as_ref(), &status.to_owned()),
        is_production: differs(&mut fields, "production", declared.production.as_ref(), &is_production),
    };
    (update, fields)
}

fn new_project(declared: &model::Project) -> Result<NewProject> {
    let mut new = NewProject::new(declared.name.as_str());
    new.id = declared.id;
    new.slug = Some(declared.slug.clone());
    new.slug_rule = SlugRule::Any;
    new.description.clone_from(&declared.description);
    new.secret_format = declared.secret_format.unwrap_or_default();
    new.has_base = declared.base;
    if declared.base {
        let ids = declared.environments.iter().filter_map(|one| Some((one.slug.to_string(), one.id?)));
        new.environment_ids = ids.collect();
    }
    new.key = match &declared.key {
        Key::Server { is_string: false, .. } => NewKey::Random,
        Key::Server { string, .. } => NewKey::String(string.clone()),
        Key::Client { derivation, proof: Some(proof), hint } => {
            NewKey::Client { derivation: derivation.clone(), proof: proof.clone(), hint: hint.clone() }
        }
        Key::Client { proof: None, .. } => {
            let message = "the project is new, and its people hold its key: give the `proof` of that";
            return Err(Error::new(ErrorKind::KeyProofRequired, message));
        }
    };
    Ok(new)
}
