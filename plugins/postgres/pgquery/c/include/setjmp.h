/* WebAssembly without exceptions has no longjmp: an error of the parser writes its text for the host and traps. */
#pragma once
typedef int jmp_buf[1];
typedef jmp_buf sigjmp_buf;
_Noreturn void sallyport_throw(void);
#define setjmp(buffer) 0
#define sigsetjmp(buffer, mask) 0
#define longjmp(buffer, value) sallyport_throw()
#define siglongjmp(buffer, value) sallyport_throw()
