/* One instance has one thread, and it never exits. */
#pragma once
#include <sys/types.h>
#define pthread_key_create(key, destructor) 0
#define pthread_setspecific(key, value) 0
