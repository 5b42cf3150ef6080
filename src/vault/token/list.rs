use super::super::keys;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::TokenInfo;
use crate::Result;
use crate::core::{Action, Details, Id, Resource};

impl Session<'_> {
    /// The tokens of an organization that the actor may know of, in the order they were issued; also those that no
    /// longer work, so that the audit log can be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn tokens(&self, organization: Id) -> Result<Vec<TokenInfo>> {
        self.read(UseCase::ListTokens, |operation| {
            operation.organization(organization)?;
            let mut tokens = Vec::new();
            for token in operation.tokens_in(&keys::token_ids(organization))? {
                if operation.is_token_listed(&token)? {
                    tokens.push(operation.token_info(&token)?);
                }
            }
            let details = Details::read("tokens", tokens.iter().map(|token| token.name.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(tokens)
        })
    }
}
