use super::super::keys;
use super::super::records::{InvitationRecord, get};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::Member;
use crate::core::{SecretString, TokenHash};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// Accepts an invitation: whoever has its email address becomes a member, and is made a user of that name if there
    /// is none. Only trusted programs can, which have made sure that the person who has the code is meant.
    ///
    /// # Errors
    /// `NotFound`, for a code that is unknown, has expired, or was withdrawn or accepted; `InvalidName`.
    pub fn accept_invitation(&self, code: &SecretString, name: &str) -> Result<Member> {
        self.write(UseCase::AcceptInvitation, |operation| {
            operation.system_only()?;
            // Found by its hash, which an attacker cannot steer; so a look-up tells nothing by the time it takes.
            let hash = TokenHash::of(code.expose_secret()).to_string();
            let record = get::<InvitationRecord>(operation.tx, &keys::invitation(&hash))?;
            let record = record.filter(|record| record.expires_at > operation.now).ok_or_else(|| {
                let message =
                    "the invitation is unknown, has expired, or was withdrawn or accepted: ask for another one";
                Error::new(ErrorKind::NotFound, message)
            })?;
            let mut user = match operation.user_of_email(&record.email)? {
                Some(user) => user,
                None => operation.make_user(None, name, record.email.clone())?,
            };
            let mut teams = Vec::new();
            for team in record.teams {
                // It may have been deleted since.
                if operation.tx.get(&keys::team(record.organization, team))?.is_some() {
                    teams.push(team);
                }
            }
            let joined = operation.join(record.organization, &mut user, record.role, teams)?;
            let member = Member::new(joined, user.clone());
            operation.record_member(record.organization, &member, &user)?;
            Ok(member)
        })
    }
}
