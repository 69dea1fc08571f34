//! A stack that grows by switching, as rustc's and swc's do through `stacker`, from Rust: closures,
//! iterators, trait objects and a panic that is caught, on three stacks at once.
use std::arch::global_asm;
use std::panic::catch_unwind;

global_asm!(
    ".globl rust_switch",
    ".type rust_switch, @function",
    "rust_switch:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsp, rdx",
    "call rsi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size rust_switch, . - rust_switch",
);

extern "C" {
    fn rust_switch(data: *mut u8, f: extern "C" fn(*mut u8), top: *mut u8);
}

extern "C" fn trampoline<F: FnMut()>(data: *mut u8) {
    unsafe { (*(data as *mut F))() }
}

fn grow<F: FnMut()>(stack: &mut [u8], mut f: F) {
    let top = ((stack.as_mut_ptr() as usize + stack.len()) & !63) as *mut u8;
    unsafe { rust_switch(&mut f as *mut F as *mut u8, trampoline::<F>, top) }
}

trait Visit {
    fn visit(&self, depth: u32) -> u64;
}
struct Leaf(u64);
struct Node(Vec<Box<dyn Visit>>);
impl Visit for Leaf {
    #[inline(never)]
    fn visit(&self, depth: u32) -> u64 {
        self.0 * depth as u64
    }
}
impl Visit for Node {
    #[inline(never)]
    fn visit(&self, depth: u32) -> u64 {
        self.0.iter().map(|n| n.visit(depth + 1)).sum()
    }
}

fn build(depth: u32) -> Box<dyn Visit> {
    if depth == 0 {
        return Box::new(Leaf(3));
    }
    Box::new(Node((0..3).map(|_| build(depth - 1)).collect()))
}

fn nested(stacks: &mut [Vec<u8>], sum: &mut u64) {
    if let Some((first, rest)) = stacks.split_first_mut() {
        grow(first, || {
            *sum += build(3).visit(1);
            nested(rest, sum);
            *sum += format!("{:?}", vec![1.5, *sum as f64]).len() as u64;
        });
    }
}

#[no_mangle]
pub extern "C" fn fixture_rust(rounds: i32) -> u64 {
    let mut stacks: Vec<Vec<u8>> = (0..3).map(|_| vec![0u8; 1 << 21]).collect();
    let mut sum = 0;
    for round in 0..rounds {
        nested(&mut stacks, &mut sum);
        let caught = catch_unwind(|| {
            if build(2).visit(round as u32) != u64::MAX {
                std::panic::resume_unwind(Box::new(round));
            }
        });
        sum += caught.is_err() as u64;
    }
    sum
}
