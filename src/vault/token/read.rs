use super::super::session::Session;
use super::super::use_case::UseCase;
use super::TokenInfo;
use crate::core::{Action, Details, Id, Resource};
use crate::{Error, ErrorKind, Result};

impl Session<'_> {
    /// What is known of a token.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn token(&self, organization: Id, id: Id) -> Result<TokenInfo> {
        self.read(UseCase::ReadToken, |operation| {
            let (_, record) = operation.token(organization, id)?;
            operation.record(Action::Read, Resource::token(&record), Details::default())?;
            operation.token_info(&record)
        })
    }

    /// What is known of the token or key this session is in the name of. Whoever holds it may know that of it; it is not
    /// recorded.
    ///
    /// # Errors
    /// `NotFound`, for a trusted program and for a user, who have no token.
    pub fn own_token(&self) -> Result<TokenInfo> {
        self.read(UseCase::ReadOwnToken, |operation| {
            let Some((_, record)) = operation.principal.token.clone() else {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "this session is that of a trusted program or of a user, without a token",
                ));
            };
            operation.organization(record.organization)?;
            operation.token_info(&record)
        })
    }
}
