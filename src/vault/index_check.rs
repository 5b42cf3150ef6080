//! The integrity check of the indexes that lead to authenticated records. They bear no MAC: each is believed only as far as
//! the record that it leads to says the same.

use super::authenticated_record::{AuthenticatedRecord, forged};
use super::keys;
use super::member::indexed;
use super::operation::OperationContext;
use super::records::{InvitationRecord, MemberRecord, TokenRecord, UserRecord, damaged, decode, id_in};
use super::sealed_record_kind::SealedRecordKind;
use super::user::email_key;
use crate::core::id::{OrganizationId, TeamId};
use crate::error::{ErrorKind, Result};
use crate::store::Record;

/// One kind of index.
pub(super) struct IndexCheck {
    /// The kind of record that the index leads to.
    pub(super) kind: SealedRecordKind,
    pub(super) prefix: &'static str,
    /// Refuses an index that leads elsewhere than the record says. A record that does not verify is refused by itself.
    pub(super) verify: fn(&mut OperationContext<'_, '_>, &Record) -> Result<()>,
}

/// All indexes that rights are found by.
pub(super) const INDEX_CHECKS: &[IndexCheck] = &[
    IndexCheck { kind: SealedRecordKind::Token, prefix: "token-id/", verify: token },
    IndexCheck { kind: SealedRecordKind::Token, prefix: "account/", verify: token },
    IndexCheck { kind: SealedRecordKind::Token, prefix: "personal-key/", verify: token },
    IndexCheck { kind: SealedRecordKind::Token, prefix: "service-key/", verify: token },
    IndexCheck { kind: SealedRecordKind::User, prefix: "user-email/", verify: user_email },
    IndexCheck { kind: SealedRecordKind::Invitation, prefix: "invitation-id/", verify: invitation },
    IndexCheck { kind: SealedRecordKind::Invitation, prefix: "invitation-email/", verify: invitation },
    IndexCheck { kind: SealedRecordKind::Member, prefix: "role-member/", verify: role_member },
    IndexCheck { kind: SealedRecordKind::Member, prefix: "team-member/", verify: team_member },
];

/// Refuses an index if the record at `key` is missing, or is not the one that `is_its_own` accepts.
fn leads_to<T: AuthenticatedRecord>(
    operation: &mut OperationContext<'_, '_>,
    key: &str,
    is_its_own: impl FnOnce(&T) -> bool,
) -> Result<()> {
    match operation.get_authenticated(key) {
        Ok(Some(record)) if is_its_own(&record) => Ok(()),
        Ok(Some(_)) => Err(forged()),
        Ok(None) => Err(damaged()),
        // It is reported itself.
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
        Err(error) => Err(error),
    }
}

fn token(operation: &mut OperationContext<'_, '_>, index: &Record) -> Result<()> {
    let key = keys::token(&decode::<String>(&index.value)?);
    leads_to(operation, &key, |token: &TokenRecord| token.index().as_deref() == Some(&*index.key))
}

fn user_email(operation: &mut OperationContext<'_, '_>, index: &Record) -> Result<()> {
    let key = keys::user(decode(&index.value)?);
    leads_to(operation, &key, |user: &UserRecord| keys::user_email(&email_key(&user.email)) == index.key)
}

fn invitation(operation: &mut OperationContext<'_, '_>, index: &Record) -> Result<()> {
    let key = keys::invitation(&decode::<String>(&index.value)?);
    leads_to(operation, &key, |found: &InvitationRecord| {
        let (id, email) = (found.id, email_key(&found.email));
        [keys::invitation_id(found.organization, id), keys::invitation_email(found.organization, &email)]
            .contains(&index.key)
    })
}

fn role_member(operation: &mut OperationContext<'_, '_>, index: &Record) -> Result<()> {
    let (organization, word) = owner_and_word(index)?;
    let key = keys::member(organization, id_in(&index.key)?);
    leads_to(operation, &key, |member: &MemberRecord| indexed(member.role).as_deref() == Some(word))
}

fn team_member(operation: &mut OperationContext<'_, '_>, index: &Record) -> Result<()> {
    let (organization, team) = owner_and_word(index)?;
    let team = TeamId::parse(team).map_err(|_| damaged())?;
    let key = keys::member(organization, id_in(&index.key)?);
    leads_to(operation, &key, |member: &MemberRecord| member.teams.contains(&team))
}

/// The organization and the part after it in the key of an index.
fn owner_and_word(index: &Record) -> Result<(OrganizationId, &str)> {
    let mut parts = index.key.split('/').skip(1);
    let (Some(organization), Some(word)) = (parts.next(), parts.next()) else {
        return Err(damaged());
    };
    Ok((OrganizationId::parse(organization).map_err(|_| damaged())?, word))
}
