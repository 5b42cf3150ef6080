use std::collections::BTreeMap;

use super::credentials::is_called;
use crate::core::id::OrganizationId;
use crate::core::role::{MemberRole, OrganizationRole};
use crate::error::{Error, ErrorKind, Result};
use crate::vault::declare::apply::{Apply, Owner, at, describes, differs, find};
use crate::vault::declare::model::{GranteeName, RoleName};
use crate::vault::declare::{StepKind, model};
use crate::vault::grant::Grant;
use crate::vault::grantee::Grantee;
use crate::vault::identity::{Identity, UserIdentity};
use crate::vault::member::{Member, MemberUpdate, NewMember};
use crate::vault::page::Page;
use crate::vault::place::At;
use crate::vault::role::{NewRole, Role, RoleUpdate};
use crate::vault::session::Session;
use crate::vault::team::{NewTeam, Team, TeamUpdate};
use crate::vault::user::{UserUpdate, email_key};

impl Apply<'_, '_> {
    pub(super) fn roles(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.roles.is_empty() {
            return Ok(());
        }
        let there = self.listed(owner, Session::roles)?;
        for declared in &owner.declared.roles {
            at(declared.at, self.role(owner, declared, &there))?;
        }
        Ok(())
    }

    fn role(&mut self, owner: &Owner<'_>, declared: &model::Role, there: &[Role]) -> Result<()> {
        let found = find(there, declared.id, |one| one.id, |one| is_called(&one.name, &declared.name))?;
        let step = owner.step(StepKind::Role, &declared.name);
        let (Some(organization), Some(now)) = (owner.id, found) else {
            let mut id = declared.id;
            if let Some(organization) = owner.id.filter(|_| !self.is_plan) {
                let mut new = NewRole::new(declared.name.as_str(), declared.permissions);
                new.id = declared.id;
                new.description.clone_from(&declared.description);
                id = Some(self.session.create_role(organization, &new)?.id);
            }
            return self.tell(step.id(id).created());
        };
        let mut fields = Vec::new();
        let update = RoleUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            description: describes(&mut fields, declared.description.as_ref(), now.description.as_ref()),
            permissions: differs(&mut fields, "permissions", Some(&declared.permissions), &now.permissions),
        };
        if !fields.is_empty() && !self.is_plan {
            self.session.update_role(organization, now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))
    }

    pub(super) fn teams(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.teams.is_empty() {
            return Ok(());
        }
        let there = self.listed(owner, Session::teams)?;
        for declared in &owner.declared.teams {
            at(declared.at, self.team(owner, declared, &there))?;
        }
        Ok(())
    }

    fn team(&mut self, owner: &Owner<'_>, declared: &model::Team, there: &[Team]) -> Result<()> {
        let found = find(there, declared.id, |one| one.id, |one| is_called(&one.name, &declared.name))?;
        let step = owner.step(StepKind::Team, &declared.name);
        let (Some(organization), Some(now)) = (owner.id, found) else {
            let mut id = declared.id;
            if let Some(organization) = owner.id.filter(|_| !self.is_plan) {
                let mut new = NewTeam::new(declared.name.as_str());
                new.id = declared.id;
                new.description.clone_from(&declared.description);
                id = Some(self.session.create_team(organization, &new)?.id);
            }
            return self.tell(step.id(id).created());
        };
        let mut fields = Vec::new();
        let update = TeamUpdate {
            name: differs(&mut fields, "name", Some(&declared.name), &now.name),
            description: describes(&mut fields, declared.description.as_ref(), now.description.as_ref()),
        };
        if !fields.is_empty() && !self.is_plan {
            self.session.update_team(organization, now.id, &update)?;
        }
        self.tell(step.id(Some(now.id)).changed(fields))
    }

    pub(super) fn members(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.members.is_empty() {
            return Ok(());
        }
        let people = People::of(self, owner)?;
        for declared in &owner.declared.members {
            at(declared.at, self.member(owner, declared, &people))?;
        }
        Ok(())
    }

    fn member(&mut self, owner: &Owner<'_>, declared: &model::Member, people: &People) -> Result<()> {
        let found = find(&people.members, declared.id, |one| one.user, |one| is_address(&one.email, &declared.email))?;
        let step = owner.step(StepKind::Member, &declared.email);
        let role = match &declared.role {
            RoleName::Known(role) => Some(*role),
            RoleName::Custom(name) => match people.roles.iter().find(|role| is_called(&role.name, name)) {
                Some(role) => Some(MemberRole::Custom(role.id)),
                // One that would be made with it.
                None if self.is_plan && owner.declared.roles.iter().any(|role| is_called(&role.name, name)) => None,
                None => return Err(no_such("role")),
            },
        };
        let mut teams = Vec::new();
        let mut has_all_teams = true;
        for name in declared.teams.iter().flatten() {
            match people.teams.iter().find(|team| is_called(&team.name, name)) {
                Some(team) => teams.push(team.id),
                None if self.is_plan && owner.declared.teams.iter().any(|team| is_called(&team.name, name)) => {
                    has_all_teams = false;
                }
                None => return Err(no_such("team")),
            }
        }
        let Some(now) = found else {
            let mut id = declared.id;
            if let (Some(organization), Some(role), false) = (owner.id, role, self.is_plan) {
                let name = declared.name.as_deref().or_else(|| declared.email.split('@').next()).unwrap_or_default();
                let mut new = NewMember::new(declared.email.as_str(), name, role);
                new.user_id = declared.id;
                new.teams = teams;
                id = Some(self.session.add_member(organization, &new)?.user);
            }
            return self.tell(step.id(id).created());
        };
        let mut fields = Vec::new();
        let user = UserUpdate {
            name: differs(&mut fields, "name", declared.name.as_ref(), &now.name),
            email: differs(&mut fields, "email", Some(&declared.email), &now.email),
        };
        let is_other_user = !fields.is_empty();
        let update = MemberUpdate { role: differs(&mut fields, "role", role.as_ref(), &now.role) };
        let is_other_role = update.role.is_some();
        if role.is_none() {
            fields.push("role");
        }
        teams.retain(|team| !now.teams.contains(team));
        if !teams.is_empty() || !has_all_teams {
            fields.push("teams");
        }
        if let Some(organization) = owner.id.filter(|_| !self.is_plan) {
            if is_other_user {
                self.session.update_user(now.user, &user)?;
            }
            if is_other_role {
                self.session.update_member(organization, now.user, &update)?;
            }
            for team in teams {
                self.session.add_team_member(organization, team, now.user)?;
            }
        }
        self.tell(step.id(Some(now.user)).changed(fields))
    }

    pub(super) fn grants(&mut self, owner: &Owner<'_>) -> Result<()> {
        if owner.declared.grants.is_empty() {
            return Ok(());
        }
        let people = People::of(self, owner)?;
        let mut there: BTreeMap<&str, Vec<Grant>> = BTreeMap::new();
        for declared in &owner.declared.grants {
            let grants = match there.get(declared.path.as_str()) {
                Some(grants) => grants.clone(),
                None => {
                    let grants = at(declared.at, self.at_place(owner, &declared.path, Session::grants))?;
                    there.insert(declared.path.as_str(), grants.clone());
                    grants
                }
            };
            at(declared.at, self.give(owner, declared, &people, &grants))?;
        }
        Ok(())
    }

    fn give(&mut self, owner: &Owner<'_>, declared: &model::Grant, people: &People, there: &[Grant]) -> Result<()> {
        let (name, grantee) = match &declared.to {
            GranteeName::Email(email) => {
                let member = people.members.iter().find(|member| is_address(&member.email, email));
                (email, member.map(|member| Grantee::User(member.user)))
            }
            GranteeName::Team(name) => {
                let team = people.teams.iter().find(|team| is_called(&team.name, name));
                (name, team.map(|team| Grantee::Team(team.id)))
            }
        };
        let step = owner.step(StepKind::Grant, name).at(&declared.path);
        let Some(grantee) = grantee else {
            let is_declared = match &declared.to {
                GranteeName::Email(email) => owner.declared.members.iter().any(|one| is_address(&one.email, email)),
                GranteeName::Team(name) => owner.declared.teams.iter().any(|one| is_called(&one.name, name)),
            };
            return if self.is_plan && is_declared {
                self.tell(step.created())
            } else {
                Err(no_such("member or team"))
            };
        };
        let now = there.iter().find(|grant| grant.grantee == grantee);
        let mut fields = Vec::new();
        if now.is_none_or(|now| differs(&mut fields, "role", Some(&declared.role), &now.role).is_some())
            && !self.is_plan
            && let Some(organization) = owner.id
        {
            self.session.grant(At::Path(organization, &declared.path), grantee, declared.role)?;
        }
        self.tell(if now.is_none() { step.created() } else { step.changed(fields) })
    }
}

/// Whom names of people stand for in an organization.
struct People {
    roles: Vec<Role>,
    teams: Vec<Team>,
    members: Vec<Member>,
}

impl People {
    fn of(apply: &Apply<'_, '_>, owner: &Owner<'_>) -> Result<Self> {
        Ok(Self {
            roles: apply.listed(owner, Session::roles)?,
            teams: apply.listed(owner, Session::teams)?,
            members: match owner.id {
                Some(organization) => all_members(apply.session, organization)?,
                // A user owns what they make.
                None => match apply.session.whoami()? {
                    Identity::User(user) => vec![founder(user)],
                    _ => Vec::new(),
                },
            },
        })
    }
}

pub(in crate::vault) fn all_members(session: &Session<'_>, organization: OrganizationId) -> Result<Vec<Member>> {
    Page::all(|paging| session.members(organization, paging))
}

/// Who makes an organization, as a member of it.
fn founder(user: UserIdentity) -> Member {
    Member {
        user: user.id,
        name: user.name,
        email: user.email,
        role: MemberRole::Organization(OrganizationRole::Owner),
        teams: Vec::new(),
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

fn is_address(email: &str, declared: &str) -> bool {
    email_key(email) == email_key(declared)
}

fn no_such(what: &str) -> Error {
    let message = format!("there is no such {what} in the organization: declare it, or correct the name");
    Error::new(ErrorKind::NotFound, message)
}
