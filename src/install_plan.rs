//! What an install changes, as a plan: [`observe`] reads what is there, [`plan`] decides the steps
//! (and the steps back), [`apply`] runs them. Only [`plan`] and [`allow`] are pure.

pub mod allow;
pub mod apply;
pub mod observe;
pub mod plan;
