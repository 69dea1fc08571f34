// Panics that pass traced frames, each caught: what they left is known. Prints what it did.
use std::hint::black_box;
use std::panic;

#[no_mangle]
#[inline(never)]
pub fn panic_thrower(x: u64) -> u64 {
    if x % 2 == 1 {
        panic::resume_unwind(Box::new(x)); // without the hook's message
    }
    black_box(x)
}

#[no_mangle]
#[inline(never)]
pub fn panic_passed(x: u64) -> u64 {
    let owned = black_box(vec![x]); // dropped on the way
    panic_thrower(x) + owned[0]
}

#[no_mangle]
#[inline(never)]
pub fn panic_catcher(x: u64) -> u64 {
    panic::catch_unwind(|| panic_passed(x)).unwrap_or(1)
}

fn main() {
    let sum: u64 = (0..10).map(|x| black_box(panic_catcher(x))).sum();
    println!("sum {sum}");
}
