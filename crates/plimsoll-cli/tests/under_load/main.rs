//! The program among others of its kind, beside the real Prisma, and killed at every moment.

mod chance;
mod hundred;
mod kill;
mod race;
mod steps;
mod story;
mod turns;
