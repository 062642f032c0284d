//! temporary
impl super::Rule {
    /// temporary
    pub fn text(&self) -> String {
        format!("{:?}", self)
    }
}
