/* The system that wasi-libc asks for: there is none. Defining its calls here leaves the module without imports; a message to the
 * server log goes nowhere, and whoever exits traps. */
#include <stdint.h>

#define BAD_DESCRIPTOR 8
#define CALL(name) __imported_wasi_snapshot_preview1_##name

int32_t CALL(fd_close)(int32_t fd) { return BAD_DESCRIPTOR; }
int32_t CALL(fd_fdstat_get)(int32_t fd, int32_t stat) { return BAD_DESCRIPTOR; }
int32_t CALL(fd_read)(int32_t fd, int32_t vectors, int32_t count, int32_t read) { return BAD_DESCRIPTOR; }
int32_t CALL(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t position) { return BAD_DESCRIPTOR; }
int32_t CALL(fd_write)(int32_t fd, int32_t vectors, int32_t count, int32_t written) { return BAD_DESCRIPTOR; }
_Noreturn void CALL(proc_exit)(int32_t code) { __builtin_trap(); }
