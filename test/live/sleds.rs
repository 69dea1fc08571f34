// Functions of Rust with XRay sleds, linked into the addon of sleds.c: rustc -Zinstrument-xray=always.
#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[inline(never)]
fn sled_rust_inner(x: u64) -> u64 {
    core::hint::black_box(x) + 1
}

#[no_mangle]
pub extern "C" fn sled_rust(count: u64) -> u64 {
    let mut sum = 0;
    for i in 0..count {
        sum += sled_rust_inner(i);
    }
    sum
}
