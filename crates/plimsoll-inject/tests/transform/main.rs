//! What happens to whole objects, seen from outside.

#[cfg(test)]
mod advice;
#[cfg(test)]
mod changed;
#[cfg(test)]
mod choosing;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod krm;
#[cfg(test)]
mod one;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod support;
#[cfg(test)]
mod takeover;
