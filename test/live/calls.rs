//! What an asynchronous run time does, with the standard library alone: an epoll loop over sockets and
//! an eventfd, channels, parked threads, timed condition variables, files, children. 0, or the number
//! of the line that failed: nobody sends signals but the profiler, so nothing may fail.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::time::Duration;
use std::{fs, thread};

#[repr(C, packed)]
struct Event {
    events: u32,
    data: u64,
}

extern "C" {
    fn epoll_create1(flags: i32) -> i32;
    fn epoll_ctl(epoll: i32, operation: i32, fd: i32, event: *mut Event) -> i32;
    fn epoll_wait(epoll: i32, events: *mut Event, most: i32, timeout: i32) -> i32;
    fn close(fd: i32) -> i32;
}

macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            eprintln!("calls.rs:{}: {}", line!(), std::io::Error::last_os_error());
            return line!() as i32;
        }
    };
}

fn watch(epoll: RawFd, fd: RawFd) -> bool {
    let mut event = Event { events: 1, data: fd as u64 };
    unsafe { epoll_ctl(epoll, 1, fd, &mut event) == 0 }
}

/// mio's turn: wait, accept, read what is there, answer.
fn reactor() -> i32 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&[7; 3000])?;
        let mut bytes = [0; 3000];
        stream.read_exact(&mut bytes)
    });
    let epoll = unsafe { epoll_create1(0x80000) };
    let mut peer: Option<TcpStream> = None;
    let mut got = 0;
    check!(epoll >= 0 && watch(epoll, server.as_raw_fd()));
    while got < 3000 {
        let mut event = Event { events: 0, data: 0 };
        check!(unsafe { epoll_wait(epoll, &mut event, 1, 60000) } == 1);
        if let Some(stream) = &mut peer {
            let mut bytes = [0; 1000];
            let count = stream.read(&mut bytes);
            check!(count.is_ok());
            got += count.unwrap();
        } else {
            let accepted = server.accept();
            check!(accepted.is_ok());
            let stream = accepted.unwrap().0;
            check!(watch(epoll, stream.as_raw_fd()));
            peer = Some(stream);
        }
    }
    let mut event = Event { events: 0, data: 0 };
    check!(unsafe { epoll_wait(epoll, &mut event, 1, 1) } == 0);
    check!(peer.unwrap().write_all(&[8; 3000]).is_ok());
    check!(client.join().unwrap().is_ok());
    unsafe { close(epoll) };
    0
}

fn waits() -> i32 {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = pair.clone();
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        sender.send(1).unwrap();
        thread::sleep(Duration::from_micros(300));
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
        thread::park_timeout(Duration::from_micros(300));
    });
    check!(receiver.recv_timeout(Duration::from_secs(60)) == Ok(1));
    let guard = pair.0.lock().unwrap();
    let (guard, result) = pair.1.wait_timeout_while(guard, Duration::from_secs(60), |done| !*done).unwrap();
    check!(*guard && !result.timed_out());
    drop(guard);
    worker.join().unwrap();
    0
}

fn files_and_children() -> i32 {
    let path = std::env::temp_dir().join(format!("rspack-prof-{}-{:?}", std::process::id(), thread::current().id()));
    check!(fs::write(&path, vec![9; 20000]).is_ok());
    check!(fs::read(&path).is_ok_and(|bytes| bytes.len() == 20000));
    check!(fs::remove_file(&path).is_ok());
    let child = Command::new("/bin/echo").arg("hello").stdout(Stdio::piped()).spawn();
    check!(child.is_ok());
    let output = child.unwrap().wait_with_output();
    check!(output.is_ok_and(|output| output.status.success() && output.stdout == b"hello\n"));
    0
}

#[no_mangle]
pub extern "C" fn stress_rust() -> i32 {
    [reactor, waits, files_and_children].iter().map(|part| part()).find(|line| *line != 0).unwrap_or(0)
}
