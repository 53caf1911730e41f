//! `plimsoll inject` as a whole: what it reads, what it writes, how it ends.

#[cfg(test)]
mod ends;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod writes;
