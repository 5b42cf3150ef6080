use super::super::keys;
use super::super::records::{RoleRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Role;
use crate::Result;
use crate::core::{Action, Details, Id, Resource, ResourceKind};
use crate::store::Order;

impl Session<'_> {
    /// The roles that an organization made, in the order it made them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn roles(&self, organization: Id) -> Result<Vec<Role>> {
        self.read(UseCase::ListRoles, |operation| {
            operation.whole_organization(organization)?;
            let records = operation.tx.scan(&keys::roles(organization), Order::Ascending, usize::MAX)?;
            let roles = records.iter().map(|record| decode::<RoleRecord>(&record.value).map(Role::from));
            let roles: Vec<Role> = roles.collect::<Result<_>>()?;
            let details = Details::read("list", roles.iter().map(|role| role.name.as_str()));
            operation.record(Action::Read, Resource::new(ResourceKind::Role, organization), details)?;
            Ok(roles)
        })
    }
}
