use crate::core::clock::Timestamp;
use crate::core::id::ServiceAccountId;
use crate::core::permission::Permission;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::account::NewAccount;
use crate::vault::declare::apply::{Apply, Owner, at, describes, differs, find_one};
use crate::vault::declare::model::{Account, Expiry, Token};
use crate::vault::declare::{StepKind, model};
use crate::vault::place::At;
use crate::vault::service_account::{NewServiceAccount, ServiceAccount, ServiceAccountUpdate};
use crate::vault::service_key::{NewServiceKey, ServiceKey};
use crate::vault::session::Session;
use crate::vault::setters::Patch;
use crate::vault::token::{NewToken, TokenInfo, TokenUpdate};
use crate::vault::webhook::{NewWebhook, WebhookUpdate};

impl Apply<'_, '_> {
    pub(super) fn tokens(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.tokens.is_empty() {
            return Ok(());
        }
        let mut there = self.listed(owner, Session::tokens)?;
        // Of several of one name, that which works.
        there.sort_by_key(is_gone);
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
                return self.tell(step.id(declared.id).created());
            };
            let mut new = NewToken::new(declared.name.as_str(), declared.permissions);
            new.id = declared.id;
            new.format = declared.style.format(organization, declared.path.as_ref());
            new.scope.clone_from(&declared.path);
            new.expires_at = end(declared.expires, self.session.vault.now())?;
            let issued = self.session.issue_token(organization, &new)?;
            let token = SecretString::from(issued.token.expose_secret());
            return self.tell(step.id(Some(issued.info.id)).created().credential(token));
        };
        let is_other_format = now.format != declared.style.format(now.organization, declared.path.as_ref());
        let declared_at = declared.path.as_ref().map(|path| self.located(path)).transpose()?;
        if is_other_format || (now.scope != declared_at && !is_gone(now)) {
            let message = "a token keeps its format and what it is bound to: declare one of another name";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let mut fields = Vec::new();
        let end = fixed_end(declared.expires);
        let update = TokenUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            permissions: differs(&mut fields, "permissions", Some(&declared.permissions), &now.permissions),
            expires_at: Patch::from_member(differs(&mut fields, "expires", end.as_ref(), &now.expires_at)),
        };
        if is_gone(now) {
            fields.clear();
        }
        if !fields.is_empty() && !self.is_plan {
            self.session.update_token(now.organization, now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))
    }
}

impl Apply<'_, '_> {
    pub(super) fn accounts(&mut self, owner: &Owner<'_>) -> Result<()> {
        for declared in &owner.declared.accounts {
            at(declared.at, self.account(owner, declared))?;
        }
        Ok(())
    }

    fn account(&mut self, owner: &Owner<'_>, declared: &Account) -> Result<()> {
        let step = owner.step(StepKind::Account, &declared.name).at(&declared.path);
        let there = self.at_place(owner, &declared.path, Session::accounts)?;
        let found = find_one(&there, declared.id, |one| one.id, |one| is_called(&one.name, &declared.name));
        // Each account may see its environment.
        let permissions = declared.permissions.union(Permission::EnvironmentRead.into());
        if let Some(now) = found {
            let is_same = now.permissions == permissions
                && now.name == declared.name
                && fixed_end(declared.expires).is_none_or(|end| end == now.expires_at);
            if !is_same {
                let message =
                    "an account keeps its name, what it may do and its end: delete it, or declare another one";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            return self.tell(step.id(Some(now.id)));
        }
        let Some(organization) = owner.id.filter(|_| !self.is_plan) else {
            return self.tell(step.id(declared.id).created());
        };
        let mut new = NewAccount::new(declared.name.as_str(), permissions);
        new.id = declared.id;
        new.expires_at = end(declared.expires, self.session.vault.now())?;
        let issued = self.session.create_account(At::Path(organization, &declared.path), &new)?;
        self.tell(step.id(Some(issued.account.id)).created().credential(issued.key.expose_secret().into()))
    }

    pub(super) fn service_accounts(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.services.is_empty() {
            return Ok(());
        }
        let there = self.listed(owner, Session::service_accounts)?;
        for declared in &owner.declared.services {
            let id = at(declared.at, self.service_account(owner, declared, &there))?;
            let keys = match owner.id.zip(id) {
                Some((organization, account)) if !declared.keys.is_empty() => {
                    self.session.service_keys(organization, account)?
                }
                _ => Vec::new(),
            };
            for key in &declared.keys {
                at(key.at, self.service_key(owner, declared, id, key, &keys))?;
            }
        }
        Ok(())
    }

    fn service_account(
        &mut self,
        owner: &Owner<'_>,
        declared: &model::ServiceAccount,
        there: &[ServiceAccount],
    ) -> Result<Option<ServiceAccountId>> {
        let found = find_one(there, declared.id, |one| one.id, |one| is_called(&one.name, &declared.name));
        let step = owner.step(StepKind::ServiceAccount, &declared.name);
        let (Some(organization), Some(now)) = (owner.id, found) else {
            let Some(organization) = owner.id.filter(|_| !self.is_plan) else {
                self.tell(step.id(declared.id).created())?;
                return Ok(None);
            };
            let mut new = NewServiceAccount::new(declared.name.as_str(), declared.permissions);
            new.id = declared.id;
            new.allow_list = declared.allow_list.clone().unwrap_or_default();
            let id = self.session.create_service_account(organization, &new)?.id;
            self.tell(step.id(Some(id)).created())?;
            return Ok(Some(id));
        };
        let mut fields = Vec::new();
        let update = ServiceAccountUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            permissions: differs(&mut fields, "permissions", Some(&declared.permissions), &now.permissions),
            allow_list: differs(&mut fields, "allow_list", declared.allow_list.as_ref(), &now.allow_list),
        };
        if !fields.is_empty() && !self.is_plan {
            self.session.update_service_account(organization, now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))?;
        Ok(Some(now.id))
    }

    fn service_key(
        &mut self,
        owner: &Owner<'_>,
        account: &model::ServiceAccount,
        id: Option<ServiceAccountId>,
        declared: &model::ServiceKey,
        there: &[ServiceKey],
    ) -> Result<()> {
        let step = owner.step(StepKind::ServiceKey, &format!("{}: {}", account.name, declared.name));
        if let Some(now) = there.iter().find(|key| is_called(&key.name, &declared.name)) {
            return self.tell(step.id(Some(now.id)));
        }
        let Some((organization, account)) = owner.id.zip(id).filter(|_| !self.is_plan) else {
            return self.tell(step.created());
        };
        let mut new = NewServiceKey::new(declared.name.as_str());
        new.expires_at = end(declared.expires, self.session.vault.now())?;
        let issued = self.session.create_service_key(organization, account, &new)?;
        self.tell(step.id(Some(issued.info.id)).created().credential(issued.key.expose_secret().into()))
    }

    pub(super) fn webhooks(&mut self, owner: &Owner<'_>) -> Result<()> {
        for declared in &owner.declared.webhooks {
            at(declared.at, self.webhook(owner, declared))?;
        }
        Ok(())
    }

    fn webhook(&mut self, owner: &Owner<'_>, declared: &model::Webhook) -> Result<()> {
        let step = owner.step(StepKind::Webhook, &declared.url).at(&declared.path);
        let there = self.at_place(owner, &declared.path, Session::webhooks)?;
        let found = find_one(&there, declared.id, |one| one.id, |one| one.url == declared.url);
        let (Some(organization), Some(now)) = (owner.id, found) else {
            let Some(organization) = owner.id.filter(|_| !self.is_plan) else {
                return self.tell(step.id(declared.id).created());
            };
            let mut new = NewWebhook::new(declared.url.as_str());
            new.id = declared.id;
            new.description.clone_from(&declared.description);
            new.enabled = declared.enabled.unwrap_or_default();
            let created = self.session.create_webhook(At::Path(organization, &declared.path), &new)?;
            return self.tell(step.id(Some(created.webhook.id)).created().credential(created.signing_secret));
        };
        let mut fields = Vec::new();
        let description = describes(&mut fields, declared.description.as_ref(), now.description.as_ref());
        let update = WebhookUpdate { url: differs(&mut fields, "url", Some(&declared.url), &now.url), description };
        let is_other = !fields.is_empty();
        let enabled = differs(&mut fields, "enabled", declared.enabled.as_ref(), &now.enabled);
        if is_other && !self.is_plan {
            self.session.update_webhook(At::Path(organization, &declared.path), now.id, &update)?;
        }
        if let Some(enabled) = enabled.filter(|_| !self.is_plan) {
            let at = At::Path(organization, &declared.path);
            if enabled {
                self.session.enable_webhook(at, now.id)?;
            } else {
                self.session.disable_webhook(at, now.id)?;
            }
        }
        self.tell(step.id(Some(now.id)).changed(fields))
    }
}

/// Whether a token was revoked, or rests until what it is bound to is restored.
fn is_gone(token: &TokenInfo) -> bool {
    token.revoked_at.is_some() || token.deleted_with.is_some()
}

/// Names of one kind that differ in case alone are one name.
pub(super) fn is_called(name: &str, declared: &str) -> bool {
    name.to_lowercase() == declared.to_lowercase()
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
#[expect(clippy::option_option, reason = "none at all is another thing than no end")]
pub(super) fn fixed_end(expires: Option<Expiry>) -> Option<Option<Timestamp>> {
    match expires {
        None => Some(None),
        Some(Expiry::At(at)) => Some(Some(at)),
        Some(Expiry::After(_)) => None,
    }
}
