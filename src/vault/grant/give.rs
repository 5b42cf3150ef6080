use serde_json::json;

use super::super::records::GrantedRecord;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Grant, Grantee};
use crate::core::{Action, Details, GrantRole, Id, LevelPath};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Grants a role in a project or in an environment to a user or a team of the organization, in place of the one
    /// they had there.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::vault::{NewOrganization, NewProject, RootKey, Vault};
    /// use ioenv::vault::{Actor, Grantee, MemberRole, NewMember, Permission, WorkspaceRole};
    ///
    /// # let vault = Vault::open(ioenv::store::Memory::new(), &RootKey::generate(&ioenv::SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, NewProject::new("store"))?;
    /// let member = MemberRole::Workspace(WorkspaceRole::Member);
    /// let ann = session.add_member(acme, &NewMember::new("ann@example.com", "Ann", member))?.user;
    /// session.grant(acme, &"store".parse()?, Grantee::User(ann), "editor".parse()?)?;
    ///
    /// let rights = vault.session(Actor::User(ann)).own_rights(acme, &"store".parse()?)?;
    /// assert!(rights.contains(Permission::SecretWrite));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, without the place, the user or the team; `Denied`, also for a role that holds more than the actor
    /// does, or in place of one; `InvalidName`, for a target and for `_base`; `InvalidValue`, for a role that cannot
    /// be given in one environment.
    pub fn grant(&self, organization: Id, path: &LevelPath, grantee: Grantee, role: GrantRole) -> Result<Grant> {
        self.write(UseCase::Grant, |operation| {
            let (place, node) = operation.granting_place(organization, path)?;
            let resource = operation.grant_resource(&place, grantee)?;
            operation.check_held(role.permissions())?;
            if node.is_some() && !role.is_for_environments() {
                let message = "in one environment the role is one of `viewer` `editor` `admin`";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            let mut record = operation.grant_record(place.project.id, grantee)?;
            let old = record.roles.iter().find(|granted| granted.node == node).map(|granted| granted.role);
            if let Some(old) = old {
                operation.check_held(old.permissions())?;
            }
            record.roles.retain(|granted| granted.node != node);
            let given =
                GrantedRecord { node, role, created_at: operation.now, created_by: operation.principal.actor.clone() };
            let grant = Grant::new(grantee, place.path()?, &given);
            record.roles.push(given);
            operation.put_grant_record(organization, place.project.id, &record)?;
            let (action, details) = match old {
                None => (Action::Create, Details::default().with("role", role.as_str())),
                Some(old) => {
                    let change = json!({ "from": old.as_str(), "to": role.as_str() });
                    (Action::Update, Details::changed(&["role"]).with("role", change))
                }
            };
            operation.record(action, resource, details)?;
            Ok(grant)
        })
    }
}
