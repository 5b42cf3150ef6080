use super::super::operation::no_such;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Grantee;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath};

impl Session<'_> {
    /// Takes back what was granted to a user or a team at exactly that place.
    ///
    /// # Errors
    /// `NotFound`, without the place, and when nothing was granted to them there; `Denied`, also for a role that holds
    /// more than the actor does; `InvalidName`, for a target and for `_base`.
    pub fn revoke_grant(&self, organization: Id, path: &LevelPath, grantee: Grantee) -> Result<()> {
        self.write(UseCase::RevokeGrant, |operation| {
            let (place, node) = operation.granting_place(organization, path)?;
            let resource = operation.grant_resource(&place, grantee)?;
            let mut record = operation.grant_record(place.project.id, grantee)?;
            let old = record.roles.iter().find(|granted| granted.node == node).map(|granted| granted.role);
            let old = old.ok_or_else(|| no_such("grant"))?;
            operation.check_held(old.permissions())?;
            record.roles.retain(|granted| granted.node != node);
            operation.put_grant_record(organization, place.project.id, &record)?;
            operation.record(Action::Delete, resource, Details::default().with("role", old.as_str()))
        })
    }
}
