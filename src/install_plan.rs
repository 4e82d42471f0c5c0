//! What an install changes, as a plan: [`observe`] reads the current state, [`plan`] decides the
//! steps and the rollback, [`apply`] runs them. Only [`plan`] and [`allow`] are pure.

pub(crate) mod allow;
pub(crate) mod apply;
pub(crate) mod observe;
pub(crate) mod plan;
