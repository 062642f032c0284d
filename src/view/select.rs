//! Which services a reader or an action asks for. Names are names, not patterns; letters count without regard to case.

use std::fmt;

use super::status::{ServiceStatus, Status};

/// Which services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Each of them.
    #[default]
    All,
    /// Those with these names; at least one name.
    Named(Vec<String>),
    /// The members of a group.
    Group(String),
}

/// Nothing has the name that was asked for. Displays as the original's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A reader asked for a service.
    Service(String),
    /// A reader asked for a group.
    Group(String),
    /// An action names a service.
    ActionService(String),
    /// An action names a group.
    ActionGroup(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Service(name) => write!(f, "Service '{name}' not found"),
            Missing::Group(name) => write!(f, "Service group '{name}' not found"),
            Missing::ActionService(name) => write!(f, "There is no service named \"{name}\""),
            Missing::ActionGroup(name) => write!(f, "Group '{name}' not found"),
        }
    }
}

impl std::error::Error for Missing {}

/// Whether names of a command line are the one word that means all services.
pub fn is_all(names: &[String]) -> bool {
    matches!(names, [name] if name.eq_ignore_ascii_case("all"))
}

impl Selection {
    /// The services a reader sees, in the order of the configuration.
    ///
    /// # Errors
    /// A name or group that nothing has.
    pub fn services<'a>(&self, status: &'a Status) -> Result<Vec<&'a ServiceStatus>, Missing> {
        self.find(status, Missing::Service, Missing::Group)
    }

    /// The services an action is for: each once, in the order of the configuration. Only the error texts differ from
    /// [`Selection::services`].
    ///
    /// # Errors
    /// A name or group that nothing has; then no service may be acted on.
    pub fn targets<'a>(&self, status: &'a Status) -> Result<Vec<&'a ServiceStatus>, Missing> {
        self.find(status, Missing::ActionService, Missing::ActionGroup)
    }

    fn find<'a>(
        &self,
        status: &'a Status,
        no_service: fn(String) -> Missing,
        no_group: fn(String) -> Missing,
    ) -> Result<Vec<&'a ServiceStatus>, Missing> {
        match self {
            Selection::All => Ok(status.services.iter().collect()),
            Selection::Named(names) => {
                let is_named = |service: &ServiceStatus, name: &str| service.name.eq_ignore_ascii_case(name);
                if let Some(unknown) = names.iter().find(|name| !status.services.iter().any(|s| is_named(s, name))) {
                    return Err(no_service(unknown.clone()));
                }
                Ok(status.services.iter().filter(|s| names.iter().any(|name| is_named(s, name))).collect())
            }
            Selection::Group(group) => {
                let is_member = |s: &&ServiceStatus| s.groups.iter().any(|member| member.eq_ignore_ascii_case(group));
                let members: Vec<_> = status.services.iter().filter(is_member).collect();
                if members.is_empty() { Err(no_group(group.clone())) } else { Ok(members) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::sample;
    use super::*;

    fn names(selection: Selection) -> Result<Vec<String>, Missing> {
        let status = sample::status();
        Ok(selection.services(&status)?.iter().map(|service| service.name.clone()).collect())
    }

    #[test]
    fn names_are_names_and_case_does_not_count() {
        assert_eq!(names(Selection::Named(vec!["DEADsvc".into(), "alive".into()])).unwrap(), ["alive", "deadsvc"]);
        assert_eq!(names(Selection::Named(vec!["ali.e".into()])), Err(Missing::Service("ali.e".into())));
        assert_eq!(names(Selection::Group("WEB".into())).unwrap(), ["alive", "lazy"]);
        assert_eq!(names(Selection::All).unwrap().len(), sample::status().services.len());
    }

    #[test]
    fn unknown_names_are_told_in_the_texts_of_the_original() {
        let status = sample::status();
        let texts = [
            Selection::Named(vec!["x".into()]).services(&status).unwrap_err().to_string(),
            Selection::Group("g".into()).services(&status).unwrap_err().to_string(),
            Selection::Named(vec!["alive".into(), "x".into()]).targets(&status).unwrap_err().to_string(),
            Selection::Group("g".into()).targets(&status).unwrap_err().to_string(),
        ];
        let expected = [
            "Service 'x' not found",
            "Service group 'g' not found",
            "There is no service named \"x\"",
            "Group 'g' not found",
        ];
        assert_eq!(texts, expected);
    }
}
