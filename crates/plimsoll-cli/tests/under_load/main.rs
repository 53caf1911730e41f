//! The program among others of its kind, beside the real Prisma, and killed at every moment.

mod kill;
mod race;
mod steps;
mod story;
mod turns;
