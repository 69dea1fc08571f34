# gdb's own backtrace at each SIGALRM of `native --stops N`, as `gdb pc return return ..` lines:
#   gdb -q -batch -x stops.py --args build/native --stops 100
# Inlined functions, and tail calls that gdb concludes from debug information, have no frame on the
# stack: left out.
import gdb

gdb.execute('set pagination off')
gdb.execute('set debuginfod enabled off')
gdb.execute('set backtrace past-main on')
gdb.execute('handle SIGALRM stop print pass')
gdb.execute('handle SIGUSR1 SIGUSR2 nostop print pass')
gdb.execute('run')
while gdb.selected_thread() is not None:
    words = []
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            words.append('%x' % frame.pc())
        frame = frame.older()
    print('gdb ' + ' '.join(words), flush=True)
    gdb.execute('continue')
