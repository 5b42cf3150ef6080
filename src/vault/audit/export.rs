use std::io::Write;

use super::super::Paging;
use super::super::records::encode;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::AuditFilter;
use crate::core::{Action, Details, Id, Resource};
use crate::{Error, Result};

impl Session<'_> {
    /// Writes records of the audit log as JSON lines, newest first, and tells how many. What is recorded meanwhile may be
    /// among them or not.
    ///
    /// # Errors
    /// `NotFound`; `Io`, when writing fails.
    pub fn export_audit(&self, organization: Id, filter: &AuditFilter, out: &mut dyn Write) -> Result<u64> {
        let mut paging = Paging::first(200);
        let mut count = 0;
        loop {
            let page = self.read(UseCase::ExportAudit, |operation| {
                let owner = operation.organization(organization)?;
                let page = operation.audit_page(&owner, filter, &paging)?;
                if paging.after.is_none() {
                    let details = Details::default().with("op", "export");
                    operation.record(Action::Read, Resource::organization(organization), details)?;
                }
                Ok(page)
            })?;
            for record in &page.items {
                writeln!(out, "{}", encode(record)?).map_err(|error| Error::io("cannot write the audit log", error))?;
                count += 1;
            }
            match page.next {
                Some(next) => paging = paging.after(next),
                None => return Ok(count),
            }
        }
    }
}
