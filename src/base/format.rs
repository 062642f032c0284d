//! Numbers as people read them in logs and status texts.
