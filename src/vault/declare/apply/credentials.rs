use super::super::StepKind;
use super::super::model::{Expiry, Format, Token};
use super::{Apply, Owner, at, differs, find_one};
use crate::core::{Id, SecretString, Timestamp, TokenFormat};
use crate::vault::{NewToken, TokenInfo, TokenUpdate};
use crate::{Error, ErrorKind, Result};

impl Apply<'_, '_> {
    pub(super) fn tokens(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.tokens.is_empty() {
            return Ok(());
        }
        let mut there = self.listed(owner, |session, id| session.tokens(id))?;
        // Of several of one name, that which works.
        there.sort_by_key(|token| token.revoked_at.is_some());
        for declared in &owner.declared.tokens {
            at(declared.at, self.token(owner, declared, &there))?;
        }
        Ok(())
    }

    /// One that was revoked, or has expired, is there: it is not for a declaration to bring it back.
    fn token(&mut self, owner: &Owner<'_>, declared: &Token, there: &[TokenInfo]) -> Result<()> {
        let mut step = owner.step(StepKind::Token, &declared.name);
        step.path.clone_from(&declared.path);
        let found = find_one(there, declared.id, |one| one.id, |one| is_called(&one.name, &declared.name));
        let Some(now) = found else {
            let Some(organization) = owner.id.filter(|_| !self.is_plan) else {
                self.tell(step.id(declared.id).created())?;
                return Ok(());
            };
            let mut new = NewToken::new(declared.name.as_str(), declared.permissions);
            new.id = declared.id;
            new.format = format(declared, organization);
            new.scope.clone_from(&declared.path);
            new.expires_at = end(declared.expires, self.session.vault.now())?;
            let issued = self.session.issue_token(organization, &new)?;
            let token = SecretString::from(issued.token.expose_secret());
            self.tell(step.id(Some(issued.info.id)).created().credential(token))?;
            return Ok(());
        };
        let is_other_format = now.format != format(declared, now.organization);
        if is_other_format || (now.scope != declared.path && now.revoked_at.is_none()) {
            let message = "a token keeps its format and what it is bound to: declare one of another name";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let mut fields = Vec::new();
        let mut update = TokenUpdate::default();
        update.name = differs(&mut fields, "name", Some(&declared.name), &now.name);
        update.permissions = differs(&mut fields, "permissions", Some(&declared.permissions), &now.permissions);
        update.expires_at = differs(&mut fields, "expires", fixed_end(declared.expires).as_ref(), &now.expires_at);
        if now.revoked_at.is_some() {
            fields.clear();
        }
        if !fields.is_empty() && !self.is_plan {
            self.session.update_token(now.organization, now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))
    }
}

/// Names of one kind that differ in case alone are one name.
pub(super) fn is_called(name: &str, declared: &str) -> bool {
    name.to_lowercase() == declared.to_lowercase()
}

fn format(declared: &Token, organization: Id) -> TokenFormat {
    match (declared.format, &declared.path) {
        (Format::Ioenv, _) => TokenFormat::Ioenv,
        (Format::Dotenv, _) => TokenFormat::DotenvCloud { organization },
        (Format::Stashbase, Some(_)) => TokenFormat::StashbaseEnvironment,
        (Format::Stashbase, None) => TokenFormat::StashbaseService,
    }
}

/// When something ends that is made now.
pub(super) fn end(expires: Option<Expiry>, now: Timestamp) -> Result<Option<Timestamp>> {
    match expires {
        None => Ok(None),
        Some(Expiry::At(at)) => Ok(Some(at)),
        Some(Expiry::After(after)) => match now.checked_add(after) {
            Some(end) => Ok(Some(end)),
            None => Err(Error::new(ErrorKind::InvalidValue, "this is beyond the years that there are")),
        },
    }
}

/// When something is to end that is there: a duration has counted when it was made, and so does not count again.
pub(super) fn fixed_end(expires: Option<Expiry>) -> Option<Option<Timestamp>> {
    match expires {
        None => Some(None),
        Some(Expiry::At(at)) => Some(Some(at)),
        Some(Expiry::After(_)) => None,
    }
}
